import pytest

from edge.openapi.templates import Parameter, Template, collections, parse

SINGULARS = {"conversations": "conversation", "messages": "message", "users": "user"}


def test_resource_patterns_say_what_one_of_a_collection_is_called() -> None:
    assert collections(["conversations/{conversation}/messages/{message}", "users/{user}/quota"]) == SINGULARS


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("/v1/plans", "/v1/plans", ()),
        ("/v1/{name=users/*/quota}", "/v1/users/{user}/quota", (Parameter("user", "name", "^[a-z]{1,9}$"),)),
        (
            "/v1/{parent=conversations/*}/messages:send",
            "/v1/conversations/{conversation}/messages:send",
            (Parameter("conversation", "parent", None),),
        ),
        (
            "/v1/{watched=conversations/*/messages/*}:watch",
            "/v1/conversations/{conversation}/messages/{message}:watch",
            (Parameter("conversation", "watched", None), Parameter("message", "watched", None)),
        ),
        ("/v1/files/{file}", "/v1/files/{file}", (Parameter("file", "file", None),)),
    ],
)
def test_a_template_becomes_a_path_with_a_parameter_for_every_wildcard(
    template: str, path: str, parameters: tuple[Parameter, ...]
) -> None:
    patterns = {"name": "^users/[a-z]{1,9}/quota$", "parent": "^conversations/a/b$", "watched": "^x$"}
    assert parse(template, SINGULARS, patterns) == Template(path, parameters)
