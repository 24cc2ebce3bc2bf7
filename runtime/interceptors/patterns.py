"""What the contract's patterns mean, in words: nobody who makes a mistake should have to read a regular expression.

Each sentence goes on from a field's name: `parent: must be …`.
"""

from collections.abc import Mapping

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_USER = "users/[A-Za-z0-9._|@:+~-]{1,128}"
_SLUG = "[a-z0-9]+(-[a-z0-9]+)*"

SENTENCES: Mapping[str, str] = {
    # chat
    f"^conversations/{_UUID}$": "must be a conversation's name, conversations/{uuid}",
    f"^conversations/{_UUID}/messages/{_UUID}$": "must be a message's name, conversations/{uuid}/messages/{uuid}",
    f"^(characters/{_SLUG}|customCharacters/{_UUID})$": (
        "must be a character's name, such as characters/sherlock-holmes, or customCharacters/{uuid}"
    ),
    f"^customCharacters/{_UUID}$": "must be the name of a character of your own, customCharacters/{uuid}",
    f"^media/{_UUID}$": "must be the name of a file that was sent before, media/{uuid}",
    "^([a-z0-9]+([.-][a-z0-9]+)*)?$": "must be a model's id, as ListModels gives it, or empty",
    "^[a-z]{2}$": "must be a language's code of two letters, such as en",
    "^[a-z0-9_-]{1,40}$": "must be a voice of the model, or empty",
    # billing
    "^plans/[a-z][a-z0-9-]{0,39}$": "must be a plan's name, such as plans/pro",
    "^packs/[a-z][a-z0-9-]{0,39}$": "must be a credit pack's name, packs/{pack}, as ListPlans gives it",
    "^([A-Za-z0-9_-]{1,64})?$": "must be a promo code, of up to 64 letters, digits, hyphens and underscores, or empty",
    "^[A-Za-z0-9_-]{3,64}$": "must be a promo code, of 3 to 64 letters, digits, hyphens and underscores",
    "^https?://[^[:cntrl:][:space:]]+$": "must be an address that begins with https:// or http://, without spaces",
    "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$": "must be a UUID or empty",
    f"^webhookDeliveries/{_UUID}$": "must be a delivery's name, webhookDeliveries/{uuid}",
    # users, and what is theirs
    f"^{_USER}$": "must be a user's name, users/{user}; users/me is you",
    f"^({_USER})?$": "must be a user's name, users/{user}, or empty",
    f"^{_USER}/subscription$": "must be a subscription's name, users/{user}/subscription; users/me is you",
    f"^{_USER}/quota$": "must be a quota's name, users/{user}/quota; users/me is you",
    f"^{_USER}/holds/{_UUID}$": "must be a hold's name, users/{user}/holds/{uuid}",
    f"^({_USER}/credits/{_UUID})?$": "must be a credit's name, users/{user}/credits/{uuid}, or empty",
    "^[a-z][a-z_]{0,39}$": "must be a meter, such as chat: up to 40 small letters and underscores, a letter first",
    "^([a-z][a-z_]{0,39})?$": "must be a meter, such as chat, or empty",
    # search
    f"^titles/{_SLUG}$": "must be a title's name, titles/{title}: small letters, digits, and hyphens between them",
    f"^characters/{_SLUG}$": "must be a character's name, such as characters/sherlock-holmes",
    f"^{_SLUG}$": "must be small letters, digits, and hyphens between them",
    f"^syncs/{_UUID}$": "must be a sync's name, syncs/{uuid}",
    "^indexVersions/[1-9][0-9]{0,17}$": "must be an index version's name, such as indexVersions/7",
}
