"""Steps that check what others than the provider can attest: its log, the witnesses of that log, a time stamp."""

import hashlib

from palermo.sealing import merkle, package, records
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.cosignature import CosignerPublicKey, verify_cosignature
from palermo.sealing.errors import BindingError, ProofError
from palermo.sealing.examination import CLOCK_SKEW, Examination, NotReachedError, have
from palermo.sealing.leaf import verify_opened
from palermo.sealing.new_log import log_of
from palermo.sealing.package import LedgerProof
from palermo.sealing.quorum import listed_witnesses, quorum_of, verify_quorum
from palermo.sealing.timestamp import open_stamp


def ledger_leaf(it: Examination) -> str:
    """The leaf commits to this manifest."""
    manifest = have(it.manifest)
    part = f"file {package.LEDGER!r}"
    it.proof = records.from_bytes(LedgerProof, it.file(package.LEDGER), part)
    opened = verify_opened(it.proof.leaf, it.proof.opened)
    if opened.get(package.MANIFEST_FIELD) != hashlib.sha256(it.file(package.MANIFEST)).hexdigest():
        raise BindingError(part, "its leaf does not commit to this package's manifest")
    it.leaf_hash = merkle.leaf_hash(it.proof.leaf)
    shown = ", ".join(f"{name} {value}" for name, value in opened.items() if name != package.MANIFEST_FIELD)
    return f"Entry {it.proof.index} of {manifest.provider}'s log commits to this manifest{shown and f' ({shown})'}."


def checkpoint(it: Examination) -> str:
    """The provider signed its log."""
    proof, manifest = have(it.proof), have(it.manifest)
    provider = it.provider
    days = {manifest.created_at, it.seal.sealed_at if it.seal else manifest.created_at}  # signed in between
    keys = dict.fromkeys(key for at in sorted(days) for key in provider.verify_keys(at))
    log = log_of(have(it.directory), provider.code, proof.new_logs)
    signed = verify_checkpoint(proof.checkpoint, *keys, origin=log.origin)
    if signed.size != proof.size:
        raise ProofError("checkpoint", f"is for {signed.size} entries, the proof for {proof.size}")
    it.root = signed.root
    after = ", which follows a lost one by leave of the network's recovery key" if log.number > 1 else ""
    return f"{provider.name} signed its log {signed.origin} at {signed.size} entries{after}."


def inclusion(it: Examination) -> str:
    """The log holds the leaf."""
    proof, root, leaf_hash = have(it.proof), have(it.root), have(it.leaf_hash)
    merkle.verify_inclusion(leaf_hash, proof.index, proof.size, proof.hashes, root)
    return "The log at that size holds the entry: the disclosure cannot be denied or dated anew."


def witnesses(it: Examination) -> str:
    """More than half of the network's witnesses, of two states or more, cosigned that checkpoint of the log."""
    proof, directory, seal = have(it.proof), have(it.directory), have(it.seal)
    listed = listed_witnesses(directory, it.provider.code)
    if not quorum_of(listed, ()).possible:
        raise NotReachedError(
            "nothing to check: this network lists no witnesses of two states, so the provider alone vouches for its log"
        )
    have(it.root)
    quorum = verify_quorum(proof.checkpoint, proof.cosignatures, directory, it.provider.code)
    for cosignature in proof.cosignatures:
        entry = directory.entry(cosignature.witness)
        key = CosignerPublicKey.from_bytes(entry.cosigner_key)
        at = verify_cosignature(proof.checkpoint, cosignature.lines, entry.log_origin, key)
        if at > seal.sealed_at + CLOCK_SKEW:
            raise BindingError(f"cosignature of {cosignature.witness}", "is later than the seal that covers it")
    if not quorum.reached:
        raise NotReachedError(
            f"too few witnesses: {quorum}, to show that the provider's log has one history", lacking=True
        )
    return f"Witnesses saw this log grow in one history: {quorum} ({', '.join(quorum.signed)})."


def time_stamp(it: Examination) -> str:
    """A time-stamping authority that the network lists saw the manifest between its signature and the seal."""
    manifest, directory, seal = have(it.manifest), have(it.directory), have(it.seal)
    stamp = it.file_or_none(package.TIME_STAMP)
    if stamp is None:
        raise NotReachedError("nothing to check: it holds no time stamp, so its dates are the provider's own word")
    if not directory.timestamp_authorities:
        raise NotReachedError("not checked: the network's directory lists no time-stamping authority", lacking=True)
    opened = open_stamp(stamp, it.file(package.MANIFEST), directory.timestamp_authorities)
    if not manifest.created_at - CLOCK_SKEW <= opened.at <= seal.sealed_at + CLOCK_SKEW:
        raise BindingError("time stamp", f"of {records.format_time(opened.at)} is not between manifest and seal")
    return f"{opened.authority} saw the manifest on {records.format_time(opened.at)}: it was not made later."
