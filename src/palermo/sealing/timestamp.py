"""Time stamps of a third party (RFC 3161): that bytes existed at a time, on the word of neither provider nor recipient.

A stamp is kept as the answer of the time-stamping authority, verbatim. It is trusted for the certificates that the
network's directory lists (``timestamp_authorities``): those of the authority's root, in DER. The authority's chain is
checked as of the stamp's own time; whether a certificate was revoked later cannot be known offline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from palermo.sealing.errors import FormatError, TrustError

REQUEST_MEDIA_TYPE = "application/timestamp-query"
RESPONSE_MEDIA_TYPE = "application/timestamp-reply"
MAX_BYTES = 65536
"""How long a stamp may be: with a chain of certificates it has a few kilobytes."""


@dataclass(frozen=True)
class TimeStamp:
    """A stamp that verifies: when (UTC), and the subject of the certificate that signed it."""

    at: datetime
    authority: str


def stamp_request(message: bytes) -> bytes:
    """A request (DER) for a stamp over the SHA-512 of a message, with a fresh nonce, asking for the certificate."""
    builder = TimestampRequestBuilder(data=message, hash_algorithm=HashAlgorithm.SHA512)
    return builder.build().as_bytes()


def open_stamp(stamp: bytes, message: bytes, authorities: Sequence[bytes]) -> TimeStamp:
    """Verify a stamp over a message under the certificates (DER) of the authorities that are trusted.

    Raises FormatError for bytes that are no granted stamp, TrustError for one that does not verify.
    """
    response = _decode(stamp)
    try:
        builder = VerifierBuilder(roots=[x509.load_der_x509_certificate(der) for der in authorities])
        builder.build().verify_message(response, message)
    except (VerificationError, ValueError) as error:
        reason = str(error).partition(":")[0]  # what follows is the cryptographic library's own trace
        raise TrustError("time stamp", f"not of an authority that the network lists, for these bytes ({reason})") from (
            error
        )
    return TimeStamp(response.tst_info.gen_time.astimezone(UTC), _signer(response))


def _decode(stamp: bytes) -> TimeStampResponse:
    if not 0 < len(stamp) <= MAX_BYTES:
        raise FormatError("time stamp", f"not 1 to {MAX_BYTES} bytes")
    try:
        response = decode_timestamp_response(stamp)
        if response.as_bytes() != stamp:
            raise FormatError("time stamp", "is followed by other bytes, or not written as DER")
    except ValueError as error:
        raise FormatError("time stamp", "not an answer of RFC 3161") from error
    return response


def _signer(response: TimeStampResponse) -> str:
    """The subject of the certificate that signed, for people."""
    (signer,) = response.signed_data.signer_infos
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return certificate.subject.rfc4514_string()
    return signer.issuer.rfc4514_string()
