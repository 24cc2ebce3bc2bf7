"""The REST interface as an OpenAPI 3.1 document, derived from the contract and from nothing else.

`python -m edge.openapi gen/scenemesh.binpb` prints it. `document` puts it together out of `operations` (an RPC's
REST bindings, their `templates`), `schemas` (messages as JSON, with the `rules` that stand in the contract), `failures`
(errors) and `comments` (words).
"""
