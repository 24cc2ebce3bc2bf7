"""Errors: their JSON, and which of them an RPC can answer with by its policy."""

from google.protobuf.descriptor_pool import DescriptorPool

from edge.openapi.rules import Json
from edge.openapi.schemas import Schemas
from runtime.contract import Audience, Method

STATUS = "google.rpc.Status"
DETAILS = ("ErrorInfo", "BadRequest", "QuotaFailure", "RetryInfo", "RequestInfo")
NAME = "Error"

RESPONSES = {
    "400": ("BadRequest", "The request breaks a rule of the contract; `google.rpc.BadRequest` names every field."),
    "401": ("Unauthenticated", "The token is missing, has expired, or is not one that this service accepts."),
    "402": ("PaymentRequired", "The meter has no credit left; `google.rpc.QuotaFailure` and ErrorInfo say why."),
    "403": ("PermissionDenied", "The token's owner may not do this."),
    "404": ("NotFound", "It does not exist or belongs to somebody else."),
    "409": (
        "Conflict",
        "Something else is in the way: it exists already, or it has changed, or it is being worked on.",
    ),
    "429": ("TooManyRequests", "Called more often than the RPC's limit allows. Wait, then try again."),
    "503": ("Unavailable", "Something is down for the moment. Try again after `google.rpc.RetryInfo`'s delay."),
}

# In the place of the 401 above where a provider calls.
BAD_SIGNATURE = ("BadSignature", "The provider's signature is missing, wrong, or of another time.")

# Codes that only some RPCs answer with, and whose comments then say so.
TOLD = {"NOT_FOUND": "404", "ALREADY_EXISTS": "409", "ABORTED": "409"}


def of(method: Method, *, names_resource: bool, comment: str) -> dict[str, Json]:
    """The errors of an RPC by HTTP status, from its policy and from what its comment says."""
    policy = method.policy
    answers = {
        "400": True,
        "401": True,
        "402": bool(policy.meter),
        "403": policy.audience is Audience.OPERATOR,
        "404": names_resource,
        "409": False,
        "429": policy.rate_limit is not None,
        "503": True,
    }
    for code, status in TOLD.items():
        answers[status] |= code in comment
    names = {status: RESPONSES[status][0] for status, possible in answers.items() if possible}
    if policy.audience is Audience.WEBHOOK:
        names["401"] = BAD_SIGNATURE[0]
    return {status: {"$ref": f"#/components/responses/{name}"} for status, name in names.items()}


def components() -> dict[str, Json]:
    """The error responses that operations refer to."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{NAME}"}}}
    return {name: {"description": text, "content": content} for name, text in (*RESPONSES.values(), BAD_SIGNATURE)}


def schema(schemas: Schemas, pool: DescriptorPool) -> Json:
    """The body of every error, a service's or the edge's own: google.rpc.Status."""
    details = [_detail(schemas, pool, f"google.rpc.{name}") for name in DETAILS]
    status = schemas.message(pool.FindMessageTypeByName(STATUS))
    status["description"] = "Why a call failed: the gRPC status code, a sentence, and details for programs."
    status["properties"]["details"]["items"] = {"anyOf": details}
    status["required"] = ["code", "message"]
    return status


def _detail(schemas: Schemas, pool: DescriptorPool, name: str) -> Json:
    tag = {"properties": {"@type": {"const": f"type.googleapis.com/{name}"}}, "required": ["@type"]}
    return {"allOf": [tag, schemas.reference(pool.FindMessageTypeByName(name))]}
