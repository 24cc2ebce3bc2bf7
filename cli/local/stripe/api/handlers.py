"""What calls of the API have in common: reading one object, listing them, making one, changing one."""

from collections.abc import Callable

from cli.local.stripe.account import Account
from cli.local.stripe.api.listing import NAMES as PAGE
from cli.local.stripe.api.listing import listing
from cli.local.stripe.params import Params
from cli.local.stripe.store import Object
from cli.local.stripe.views import render

# Does something with an id, which is empty where the path has none, and gives what Stripe shows of it.
Handler = Callable[[Account, str, Params], Object]
# Whether an object is let through by a filter's value.
Filter = Callable[[Account, Object, str], bool]


def retrieves(kind: str, *names: str) -> Handler:
    def handler(account: Account, identity: str, params: Params) -> Object:
        params.only("expand", *names)
        return render(account, account.store.get(kind, identity))

    return handler


def makes(names: tuple[str, ...], create: Callable[[Account, Params], Object]) -> Handler:
    def handler(account: Account, _: str, params: Params) -> Object:
        return render(account, create(account, params.only("expand", *names)))

    return handler


def changes(names: tuple[str, ...], update: Callable[[Account, str, Params], Object]) -> Handler:
    def handler(account: Account, identity: str, params: Params) -> Object:
        return render(account, update(account, identity, params.only("expand", *names)))

    return handler


def acts(act: Callable[[Account, str], Object], *names: str) -> Handler:
    """Changes an object in a way that needs no parameters."""
    return changes(names, lambda account, identity, _: act(account, identity))


def lists(url: str, kind: str, *same: str, **filters: Filter) -> Handler:
    """Lists objects, newest first; `same` are parameters that a value of the object has to equal."""
    known = {**{name: _equals(name) for name in same}, **filters}

    def handler(account: Account, _: str, params: Params) -> Object:
        params.only(*PAGE, *known)
        given = {name: value for name in known if (value := params.text(name)) is not None}

        def wanted(one: Object) -> bool:
            return all(known[name](account, one, value) for name, value in given.items())

        return listing(account, url, kind, params, wanted)

    return handler


def _equals(name: str) -> Filter:
    return lambda _, one, value: bool(one[name] == value)
