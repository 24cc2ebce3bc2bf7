"""What is sold, as sellers need to know it."""

from __future__ import annotations

from runtime.errors import NotFound
from services.billing_svc.domain.plan import Article, PlanArticle, Provider


def listed(article: Article, provider: Provider) -> str:
    """What a provider calls it; NotFound (PLAN_NOT_FOUND, PACK_NOT_FOUND) when the provider does not sell it here."""
    ids = article.price.ids if isinstance(article, PlanArticle) else article.ids
    if names := ids.get(provider):
        return names[0]
    if isinstance(article, PlanArticle):
        raise NotFound("This plan is not on offer there.", reason="PLAN_NOT_FOUND")
    raise NotFound("This pack is not on offer there.", reason="PACK_NOT_FOUND")


def article_name(article: Article) -> str:
    """`plans/{plan}` or `packs/{pack}`."""
    return f"plans/{article.plan.slug}" if isinstance(article, PlanArticle) else f"packs/{article.slug}"


def price_cents(article: Article) -> int:
    """In US cents."""
    return article.price.cents if isinstance(article, PlanArticle) else article.cents
