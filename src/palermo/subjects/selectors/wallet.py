"""A cryptocurrency address: its chain and the address, checksum verified. Written ``CHAIN:ADDRESS``.

=================  ========================================  ===================================================
chain              address                                   source
=================  ========================================  ===================================================
``bitcoin``        base58check versions 0 and 5, bech32(m)   BIP 13, BIP 173, BIP 350
``bitcoin-cash``   CashAddr; base58check is converted        Bitcoin Cash CashAddr specification
``bitcoin-sv``     base58check versions 0 and 5              Bitcoin SV node
``bitcoin-gold``   base58check versions 38 and 23            Bitcoin Gold chain parameters
``litecoin``       base58check 48, 50 (5 converted), bech32  Litecoin Core chain parameters
``dash``           base58check versions 76 and 16            Dash Core chain parameters
``dogecoin``       base58check versions 30 and 22            Dogecoin Core chain parameters
``verge``          base58check versions 30 and 33            Verge chain parameters
``zcash``          base58check versions 1CB8 and 1CBD        Zcash protocol specification section 5.6.1
``tron``           base58check version 65                    TRON protocol, address format
``xrp``            base58check version 0, own alphabet       XRP Ledger base58 encodings
``monero``         CryptoNote base58, Keccak-256             Monero standard, subaddress, integrated address
``evm``            40 hex digits; mixed case must fit        ERC-55
=================  ========================================  ===================================================

One key rules the same address on Ethereum and on every chain that copies it, so they are one chain here, ``evm``. A
token (USDT, USDC) is no chain: the address says which. Without a chain, the address must fit one alone; versions 0 and
5 are taken for Bitcoin.
"""

import re
from collections.abc import Iterator, Mapping

from palermo.subjects.addresses import base58, bech32
from palermo.subjects.addresses.keccak import keccak256
from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import found, plain

VERSIONS: Mapping[str, tuple[bytes, ...]] = {
    "bitcoin": (b"\x00", b"\x05"),
    "litecoin": (b"\x30", b"\x32", b"\x05"),
    "dash": (b"\x4c", b"\x10"),
    "zcash": (b"\x1c\xb8", b"\x1c\xbd"),
    "tron": (b"\x41",),
    "bitcoin-gold": (b"\x26", b"\x17"),
    "bitcoin-cash": (b"\x00", b"\x05"),
    "bitcoin-sv": (b"\x00", b"\x05"),
    "dogecoin": (b"\x1e", b"\x16"),
    "verge": (b"\x1e", b"\x21"),
}
"""Chains with base58check addresses → version bytes, pay-to-key first; 20 bytes of hash follow."""

_SEGWIT = {"bitcoin": "bc", "litecoin": "ltc"}
_MONERO = {18: 65, 19: 73, 42: 65}
"""Monero network byte → bytes of the address before its checksum."""

_CODES = {
    "bitcoin": "btc xbt",
    "bitcoin-cash": "bch bitcoincash bitcoin_cash",
    "bitcoin-sv": "bsv bitcoinsv",
    "bitcoin-gold": "btg bitcoingold",
    "litecoin": "ltc",
    "dash": "",
    "dogecoin": "doge",
    "verge": "xvg",
    "zcash": "zec",
    "tron": "trx",
    "xrp": "ripple",
    "monero": "xmr",
    "evm": "eth ethereum etc ethereum-classic bsc bnb binance-smart-chain arb arbitrum matic polygon avax optimism",
}
_CHAINS = {name: chain for chain, names in _CODES.items() for name in (chain, *names.split())}
_TOKENS = frozenset({"usdt", "usdc", "tether", "dai", "busd"})
_WRITTEN = re.compile(r"(?:([A-Za-z][A-Za-z _\-]{1,24}?)(?::|\s)\s*)?([A-Za-z0-9]{25,128})(?:\?\S*)?", re.ASCII)
_GUESSED = ("evm", "bitcoin", "litecoin", "dash", "zcash", "tron", "bitcoin-gold", "xrp", "monero", "bitcoin-cash")
"""Chains tried, in this order, for an address alone. Dogecoin and Verge share a version: neither is guessed."""


def parse(text: str, *, country: str | None = None) -> str | None:
    """``CHAIN:ADDRESS`` such as ``bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa``."""
    match = _WRITTEN.fullmatch(plain(text))
    if not match:
        return None
    name = (match[1] or "").lower().replace(" ", "-")
    if name and name not in _TOKENS:
        chain = _CHAINS.get(name)
        address = _address(chain, match[2]) if chain else None
        return f"{chain}:{address}" if address else None
    return next((f"{chain}:{address}" for chain in _GUESSED if (address := _address(chain, match[2]))), None)


def _address(chain: str, text: str) -> str | None:
    """The one form of an address on its chain, or None if it is none."""
    match chain:
        case "evm":
            return _evm(text)
        case "monero":
            return _monero(text)
        case "xrp":
            body = base58.decode(text, base58.RIPPLE_ALPHABET)
            return text if body and len(body) == 21 and body[0] == 0 else None
        case "bitcoin-cash":
            return _bitcoin_cash(text)
    prefix = _SEGWIT.get(chain)
    lowered = text.lower()
    if prefix and text in (lowered, text.upper()) and bech32.is_segwit(lowered, prefix):
        return lowered
    return _base58(chain, text)


def _base58(chain: str, text: str) -> str | None:
    body = base58.decode(text)
    version = body[:-20] if body else b""
    if not body or version not in VERSIONS[chain]:
        return None
    return base58.encode(b"\x32" + body[1:]) if chain == "litecoin" and version == b"\x05" else text


def _evm(text: str) -> str | None:
    """Lower case; capitals mixed in must be those of ERC-55: where the digit's nibble of the hash is 8 or more."""
    digits = text[2:]
    if not re.fullmatch(r"0[xX][0-9a-fA-F]{40}", text):
        return None
    lowered = digits.lower()
    if digits not in (lowered, digits.upper()):
        nibbles = keccak256(lowered.encode()).hex()
        fitting = (c.upper() if int(nibble, 16) >= 8 else c for c, nibble in zip(lowered, nibbles, strict=False))
        if digits != "".join(fitting):
            return None
    return f"0x{lowered}"


def _monero(text: str) -> str | None:
    body = base58.decode_cryptonote(text)
    return text if body and _MONERO.get(body[0]) == len(body) else None


def _bitcoin_cash(text: str) -> str | None:
    """CashAddr in lower case, also for an address in Bitcoin's old form."""
    lowered = text.lower()
    if text in (lowered, text.upper()) and bech32.decode_cash(lowered):
        return lowered
    body = base58.decode(text)
    if not body or body[:-20] not in VERSIONS["bitcoin-cash"]:
        return None
    return bech32.encode_cash(VERSIONS["bitcoin-cash"].index(body[:-20]), body[1:])


def of_entity(entity: Entity) -> Iterator[str]:
    """``publicKey`` and ``cryptoAddress``, on the chain named by ``blockchain`` or ``currencySymbol``, if any.

    Lists name a wrong chain now and then: an address that does not fit the one named is read alone.
    """
    if entity.schema != "CryptoWallet":
        return iter(())
    named = [name for name in entity.all("blockchain", "currencySymbol") if name.lower().replace(" ", "-") in _CHAINS]
    chain = f"{named[0]}:" if named else ""
    return found(parse(chain + address) or parse(address) for address in entity.all("publicKey", "cryptoAddress"))


KIND = Kind(
    code="wallet",
    title="Cryptocurrency address",
    source="BIP 13, 173 and 350; ERC-55; each chain's parameters (see the table in its file)",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example(
            "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "XBT 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ),
        Example(
            "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "btc:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ),
        Example("bitcoin:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", ()),
        Example(
            "evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "ETH: 0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"),
        ),
        Example(
            "bitcoin-cash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
            ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "BCH 1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"),
        ),
        Example("xrp:rrrrrrrrrrrrrrrrrrrrrhoLvTp", ("XRP rrrrrrrrrrrrrrrrrrrrrhoLvTp",)),
    ),
    garbage=(
        *("", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "bitcoin:", "0x1234"),
        *("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        *("tron:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "nochain:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    ),
)
