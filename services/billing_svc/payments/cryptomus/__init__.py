"""Cryptomus: payments in crypto currency, each made once and in advance. Its events say all there is."""

from services.billing_svc.payments.cryptomus.inbound import Cryptomus
from services.billing_svc.payments.cryptomus.seller import CryptomusSeller

__all__ = ["Cryptomus", "CryptomusSeller"]
