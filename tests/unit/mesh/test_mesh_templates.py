import re

import pytest

from mesh.resources.templates import is_literal, regex, specificity


@pytest.mark.parametrize(
    ("template", "path", "matches"),
    [
        ("/v1/suggest", "/v1/suggest", True),
        ("/v1/suggest", "/v1/suggestX", False),
        ("/v1.suggest", "/v1xsuggest", False),
        ("/v1/{name=titles/*}", "/v1/titles/the-matrix", True),
        ("/v1/{name=titles/*}", "/v1/titles/", False),
        ("/v1/{name=titles/*}", "/v1/titles/a/b", False),
        ("/v1/{parent=conversations/*}/messages:send", "/v1/conversations/1/messages:send", True),
        ("/v1/{parent=conversations/*}/messages:send", "/v1/conversations/1/messages", False),
        ("/v1/{name=conversations/*/messages/*}:watch", "/v1/conversations/1/messages/2:watch", True),
        ("/v1/{name}", "/v1/a", True),
        ("/v1/{name=files/**}", "/v1/files/a/b", True),
    ],
)
def test_a_template_matches_the_paths_that_it_stands_for(template: str, path: str, matches: bool) -> None:
    assert (re.fullmatch(regex(template), path) is not None) is matches


def test_of_two_templates_that_match_the_narrower_comes_first() -> None:
    templates = ["/v1/{name=a/*}", "/v1/{name=a/*}:watch", "/v1/a/b", "/v1/{name=a/*}/b/{other}"]
    assert sorted(templates, key=specificity) == [
        "/v1/a/b",
        "/v1/{name=a/*}:watch",
        "/v1/{name=a/*}/b/{other}",
        "/v1/{name=a/*}",
    ]


def test_a_template_without_a_variable_is_literal() -> None:
    assert [is_literal(template) for template in ("/v1/a:b", "/v1/{a}", "/v1/*")] == [True, False, False]
