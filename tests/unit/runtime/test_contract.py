from datetime import timedelta

from runtime.contract import Audience, Binding, Contract, Policy, RateLimit, descriptor_set_path

CONTRACT = Contract.load(descriptor_set_path())


def test_a_method_carries_its_policy_and_its_bindings() -> None:
    method = CONTRACT.methods["/scenemesh.chat.v1.ChatService/SendMessage"]
    assert (method.cluster, method.response_streaming, method.request_streaming) == ("chat", True, False)
    assert method.bindings == (Binding("POST", "/v1/{parent=conversations/*}/messages:send", "*"),)
    assert method.policy == Policy(
        audience=Audience.USER,
        callers=frozenset(),
        deadline=timedelta(seconds=300),
        idle_timeout=timedelta(seconds=60),
        meter="chat",
        rate_limit=RateLimit(60, timedelta(seconds=60)),
    )


def test_only_methods_that_say_so_are_idempotent() -> None:
    idempotent = {method.name for method in CONTRACT if method.idempotent}
    assert "GetQuota" in idempotent
    assert {"SendMessage", "CreateConversation"}.isdisjoint(idempotent)


def test_only_what_the_outside_can_say_in_one_request_has_a_binding() -> None:
    unbound = {method.name for method in CONTRACT if method.external and not method.bindings}
    assert unbound == {"SuggestSession", "ImportCatalog", "Converse"}
    assert {method.name for method in CONTRACT if method.request_streaming} == unbound


def test_internal_methods_are_not_external() -> None:
    internal = {method.name for method in CONTRACT if not method.external}
    assert internal == {
        "CheckAdmission",
        "Reserve",
        "ExtendHold",
        "Settle",
        "Release",
        "BatchReserve",
        "BatchSettle",
        "Grant",
        "Adjust",
        "SetPlan",
    }


def test_the_imported_modules_and_the_descriptor_set_say_the_same() -> None:
    # Importing a module registers its services.
    from scenemesh.chat.v1 import archive_pb2, character_pb2, chat_pb2, media_pb2

    files = (archive_pb2, character_pb2, chat_pb2, media_pb2)
    imported = Contract.of([one.full_name for file in files for one in file.DESCRIPTOR.services_by_name.values()])
    assert {path: method.policy for path, method in imported.methods.items()} == {
        path: method.policy for path, method in CONTRACT.methods.items() if method.cluster == "chat"
    }
