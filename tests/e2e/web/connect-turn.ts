// The turn as @connectrpc/connect-web takes it, over grpc-web by fetch.

import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { ChatService } from "../../../gen/ts/scenemesh/chat/v1/chat_pb.js";
import { QuotaService } from "../../../gen/ts/scenemesh/quota/v1/quota_pb.js";
import { SearchService } from "../../../gen/ts/scenemesh/search/v1/search_pb.js";
import { type Refusal, refused } from "./refusal.js";
import { person, turn } from "./turn.js";

function bearer(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

function refusal(error: unknown): Refusal | undefined {
  if (!(error instanceof ConnectError)) {
    return undefined;
  }
  const details = error.details.map((detail) => {
    if (!("type" in detail)) {
      throw new Error("a detail that this client made itself");
    }
    return create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value });
  });
  return refused(error.code, error.rawMessage, details);
}

const someone = person();
const transport = createGrpcWebTransport({ baseUrl: someone.url, interceptors: [bearer(someone.token)] });
const clients = {
  search: createClient(SearchService, transport),
  chat: createClient(ChatService, transport),
  quota: createClient(QuotaService, transport),
};
await turn(clients, someone, refusal);
