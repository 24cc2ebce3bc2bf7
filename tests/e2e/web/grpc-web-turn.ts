// The turn as the official grpc-web package takes it: over grpc-web-text, by XMLHttpRequest in a page of another origin.

import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { GrpcWebClientBase, MethodDescriptor, MethodType, RpcError } from "grpc-web";
import { JSDOM } from "jsdom";

import { StatusSchema } from "../../../gen/ts/google/rpc/status_pb.js";
import { ChatService } from "../../../gen/ts/scenemesh/chat/v1/chat_pb.js";
import { QuotaService } from "../../../gen/ts/scenemesh/quota/v1/quota_pb.js";
import { SearchService } from "../../../gen/ts/scenemesh/search/v1/search_pb.js";
import { type Refusal, refused } from "./refusal.js";
import { type Clients, person, turn } from "./turn.js";

type Method<I extends DescMessage, O extends DescMessage> = DescMethodUnary<I, O> | DescMethodServerStreaming<I, O>;

const someone = person();
const page = new JSDOM("", { url: someone.origin });
globalThis.XMLHttpRequest = page.window.XMLHttpRequest;
const client = new GrpcWebClientBase({ format: "text" });
const metadata = { authorization: `Bearer ${someone.token}` };

function path(method: Method<DescMessage, DescMessage>): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function descriptor<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
): MethodDescriptor<MessageShape<I>, MessageShape<O>> {
  return new MethodDescriptor(
    path(method),
    method.methodKind === "unary" ? MethodType.UNARY : MethodType.SERVER_STREAMING,
    // The classes of the messages: the package asks for them and never uses them; protobuf-es has none.
    Object as never,
    Object as never,
    (request: MessageShape<I>) => toBinary(method.input, request),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
}

function unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) {
  return (request: MessageInitShape<I>): Promise<MessageShape<O>> =>
    client.unaryCall(someone.url + path(method), create(method.input, request), metadata, descriptor(method));
}

function streaming<I extends DescMessage, O extends DescMessage>(method: DescMethodServerStreaming<I, O>) {
  return (request: MessageInitShape<I>): AsyncIterable<MessageShape<O>> => {
    const url = someone.url + path(method);
    const call = client.serverStreaming(url, create(method.input, request), metadata, descriptor(method));
    return new ReadableStream<MessageShape<O>>({
      start(events) {
        let failed = false;
        call.on("data", (event) => events.enqueue(event));
        call.on("error", (error) => {
          failed = true;
          events.error(error);
        });
        // The package says `end` after an error too.
        call.on("end", () => failed || events.close());
      },
      cancel: () => call.cancel(),
    });
  };
}

function refusal(error: unknown): Refusal | undefined {
  if (!(error instanceof RpcError)) {
    return undefined;
  }
  const status = error.metadata["grpc-status-details-bin"];
  const details = status === undefined ? [] : fromBinary(StatusSchema, base64Decode(status)).details;
  return refused(error.code, error.message, details);
}

const clients: Clients = {
  search: { suggest: unary(SearchService.method.suggest) },
  chat: {
    createConversation: unary(ChatService.method.createConversation),
    sendMessage: streaming(ChatService.method.sendMessage),
    watchMessage: streaming(ChatService.method.watchMessage),
  },
  quota: { getQuota: unary(QuotaService.method.getQuota) },
};
await turn(clients, someone, refusal);
page.window.close();
