"""Addresses and checksums against the vectors of their standards, and against other implementations."""

import hashlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import bitcoin

from palermo.subjects.addresses import base58, bech32
from palermo.subjects.addresses.keccak import keccak256, sponge256
from palermo.subjects.selectors import KINDS

VECTORS = tomllib.loads((Path(__file__).parents[1] / "vectors" / "wallet_addresses.toml").read_text("utf-8"))
parse = KINDS["wallet"].parse
WALLET_EXAMPLES = [example.canonical for example in KINDS["wallet"].examples]


@pytest.mark.parametrize(("message", "digest"), VECTORS["keccak"]["digests"])
def test_keccak_known_answers(message: str, digest: str) -> None:
    assert keccak256(message.encode()).hex() == digest


@given(st.binary(max_size=600))
@settings(max_examples=40, deadline=None)
def test_the_sponge_is_the_one_of_sha3(message: bytes) -> None:
    assert sponge256(message, 0x06) == hashlib.sha3_256(message).digest()


@pytest.mark.parametrize("address", VECTORS["segwit"]["valid"])
def test_segwit_accepts(address: str) -> None:
    assert bech32.is_segwit(address.lower(), "bc")


@pytest.mark.parametrize("address", VECTORS["segwit"]["invalid"])
def test_segwit_refuses(address: str) -> None:
    assert not bech32.is_segwit(address.lower(), "bc")
    assert parse(f"bitcoin:{address}") is None


@pytest.mark.parametrize(("legacy", "cash"), VECTORS["cash"]["pairs"])
def test_both_forms_of_bitcoin_cash_meet(legacy: str, cash: str) -> None:
    assert parse(f"BCH {legacy}") == parse(f"bitcoincash:{cash}") == parse(cash.upper()) == f"bitcoin-cash:{cash}"


@pytest.mark.parametrize("address", VECTORS["evm"]["valid"])
def test_erc_55(address: str) -> None:
    assert parse(address) == f"evm:{address.lower()}"
    swapped = f"0x{address[2:].swapcase()}"
    is_mixed = address[2:] not in (address[2:].lower(), address[2:].upper())
    assert (parse(swapped) is None) == is_mixed


@given(st.binary(min_size=20, max_size=20), st.sampled_from([b"\x00", b"\x05"]))
@settings(max_examples=50, deadline=None)
def test_base58_agrees_with_another_implementation(digest: bytes, version: bytes) -> None:
    address = base58.encode(version + digest)
    assert bitcoin.is_valid(address)
    assert base58.decode(address) == version + digest
    assert parse(address) == f"bitcoin:{address}"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_one_wrong_character_is_noticed(data: st.DataObject) -> None:
    chain, _, address = data.draw(st.sampled_from([e for e in WALLET_EXAMPLES if not e.startswith("evm")])).partition(
        ":"
    )
    place = data.draw(st.integers(0, len(address) - 1))
    wrong = data.draw(st.sampled_from("023456789acdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"))
    if wrong != address[place]:
        assert parse(f"{chain}:{address[:place]}{wrong}{address[place + 1 :]}") is None


@given(st.text(max_size=140))
@settings(max_examples=100, deadline=None)
def test_no_text_breaks_a_decoder(text: str) -> None:
    base58.decode(text)
    base58.decode(text, base58.RIPPLE_ALPHABET)
    base58.decode_cryptonote(text)
    bech32.decode_cash(text)
    bech32.is_segwit(f"bc1{text}", "bc")


def test_a_litecoin_script_address_has_one_form() -> None:
    digest = bytes(range(20))
    old = base58.encode(b"\x05" + digest)
    assert parse(f"LTC {old}") == parse(base58.encode(b"\x32" + digest))


def test_an_address_that_fits_two_chains_needs_the_chain() -> None:
    address = base58.encode(b"\x1e" + bytes(range(20)))
    assert parse(address) is None
    assert parse(f"DOGE:{address}") == f"dogecoin:{address}"
    assert parse(f"XVG:{address}") == f"verge:{address}"


@pytest.mark.real
def test_sanctioned_addresses_are_read(shared_data: Path) -> None:
    """Every listed address but two: a Tron address under XBT, and 64 hex digits that are no Monero address."""
    import json

    refused = []
    for path in sorted((shared_data / "lists" / "ofac-crypto-2024-09").glob("sanctioned_addresses_*.json")):
        currency = path.stem.rpartition("_")[2]
        refused += [a for a in json.loads(path.read_text("utf-8")) if parse(f"{currency}:{a}") is None]
    assert len(refused) == 2
    assert parse(refused[0]) == f"tron:{refused[0]}"
    assert parse(refused[1]) is None
