// One person's turn, said once for every client: find a character, talk, watch the answer again, look at the quota.
// Prints one JSON line for each message that came, and one for the refusal that ended it.

import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";

import {
  type ChatEvent,
  ChatEventSchema,
  type ChatService,
  ConversationSchema,
} from "../../../gen/ts/scenemesh/chat/v1/chat_pb.js";
import { QuotaSchema, type QuotaService } from "../../../gen/ts/scenemesh/quota/v1/quota_pb.js";
import { Kind, type SearchService, SuggestResponseSchema } from "../../../gen/ts/scenemesh/search/v1/search_pb.js";
import type { Refusal } from "./refusal.js";

/** What a client must be able to do. */
export interface Clients {
  search: Pick<Client<typeof SearchService>, "suggest">;
  chat: Pick<Client<typeof ChatService>, "createConversation" | "sendMessage" | "watchMessage">;
  quota: Pick<Client<typeof QuotaService>, "getQuota">;
}

/** Where the edge is, who speaks, what they say, and the event after which they watch. */
export interface Person {
  url: string;
  token: string;
  origin: string;
  text: string;
  after: bigint;
}

/** The person as the environment and the arguments describe them. */
export function person(): Person {
  const [text, after] = process.argv.slice(2);
  const { EDGE_URL: url, EDGE_TOKEN: token, PAGE_ORIGIN: origin } = process.env;
  if (!url || !token || !origin || !text || !after) {
    throw new Error("usage: EDGE_URL=… EDGE_TOKEN=… PAGE_ORIGIN=… node …-turn.js TEXT AFTER");
  }
  return { url, token, origin, text, after: BigInt(after) };
}

/** Takes the turn. `refusal` reads the client's own kind of error, and gives undefined for what is not an answer. */
export async function turn(
  clients: Clients,
  person: Person,
  refusal: (error: unknown) => Refusal | undefined,
): Promise<void> {
  try {
    await take(clients, person);
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) {
      throw error;
    }
    line("refused", { ...refused });
  }
}

async function take({ search, chat, quota }: Clients, { text, after }: Person): Promise<void> {
  const found = await search.suggest({ query: "sherlock hol", kinds: [Kind.CHARACTER] });
  print("suggested", SuggestResponseSchema, found);
  const character = found.suggestions[0]?.name ?? "";

  const conversation = await chat.createConversation({ conversation: { character } });
  print("opened", ConversationSchema, conversation);

  let last: ChatEvent | undefined;
  for await (const event of chat.sendMessage({ parent: conversation.name, text })) {
    print("sent", ChatEventSchema, event);
    last = event;
  }
  for await (const event of chat.watchMessage({ name: last?.message ?? "", after })) {
    print("watched", ChatEventSchema, event);
  }
  print("quota", QuotaSchema, await quota.getQuota({ name: "users/me/quota" }));
}

function print<Desc extends DescMessage>(step: string, schema: Desc, message: MessageShape<Desc>): void {
  line(step, toJson(schema, message, { useProtoFieldName: true }));
}

function line(step: string, content: unknown): void {
  process.stdout.write(`${JSON.stringify({ step, content })}\n`);
}
