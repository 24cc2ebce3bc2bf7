// How the edge's errors look, whichever client they reached.

import { createRegistry, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";

import { Code } from "../../../gen/ts/google/rpc/code_pb.js";
import { file_google_rpc_error_details } from "../../../gen/ts/google/rpc/error_details_pb.js";
import { DecisionSchema } from "../../../gen/ts/scenemesh/quota/v1/quota_pb.js";

const DETAILS = createRegistry(file_google_rpc_error_details, DecisionSchema);

/** A gRPC status: the code's name, and each detail as JSON with its `@type`. */
export interface Refusal {
  code: string;
  message: string;
  details: JsonValue[];
}

/** The status as it is printed. */
export function refused(code: number, message: string, details: Any[]): Refusal {
  return {
    code: Code[code] ?? String(code),
    message,
    details: details.map((detail) => toJson(AnySchema, detail, { registry: DETAILS, useProtoFieldName: true })),
  };
}
