"""``palermo node check`` on the directory: each thing that was changed after its import is named."""

from datetime import timedelta

import pytest

from palermo.node.directory import actions, checking
from palermo.node.directory.models import Authority, DirectoryVersion, PublicKey
from palermo.node.home import trust_root_file
from palermo.sealing.directory import directory_digest


@pytest.fixture
def two_versions(network):
    """A second version in which one member has left."""
    newer = network.sign_directory(version=2, codes=("AA-POL", "BB-POL"), previous=directory_digest(network.directory))
    actions.import_directory(newer, now=network.now)
    return network


def named() -> list[tuple[str, str]]:
    return [(fault.what, fault.where) for fault in checking.check()]


def test_nothing_to_complain_about(two_versions):
    assert checking.check() == []


@pytest.mark.django_db
def test_before_the_first_import_there_is_nothing_to_check():
    assert checking.check() == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_changed_version_is_named(two_versions, version):
    row = DirectoryVersion.objects.get(version=version)
    data = bytearray(row.data)
    data[len(data) // 3] ^= 4
    DirectoryVersion.objects.filter(pk=row.pk).update(data=bytes(data))
    assert named() == [("directory", f"version {version}")]
    DirectoryVersion.objects.filter(pk=row.pk).update(digest=directory_digest(bytes(data)))
    assert named() == [("directory", f"version {version}")], "its signature does not hold either"


def test_versions_that_do_not_follow_from_each_other_are_named(two_versions):
    DirectoryVersion.objects.filter(version=1).update(data=(other := two_versions.sign_directory()))
    DirectoryVersion.objects.filter(version=1).update(digest=directory_digest(other))
    assert ("directory", "version 2") in named()


def test_a_version_under_another_number_is_named(network):
    DirectoryVersion.objects.update(version=7)
    assert named() == [("directory", "version 7")]


@pytest.mark.parametrize("change", [{"name": "Another Bureau"}, {"endpoint": "http://elsewhere.invalid"}])
def test_a_changed_member_is_named(two_versions, change):
    Authority.objects.filter(code="BB-POL").update(**change)
    assert named() == [("authority", "BB-POL")]


def test_a_member_that_left_cannot_be_let_back_in(two_versions):
    Authority.objects.filter(code="CC-FIU").update(is_member=True)
    assert named() == [("authority", "CC-FIU")]


def test_a_stranger_among_the_members_is_named(network):
    Authority.objects.create(code="XX-POL", name="X", jurisdiction="XX", endpoint="", contact="", log_origin="")
    assert named() == [("authority", "XX-POL")]


@pytest.mark.parametrize("purpose", [PublicKey.SIGNING, PublicKey.RECIPIENT])
def test_a_changed_a_prolonged_and_a_lost_key_are_named(two_versions, purpose):
    key = PublicKey.objects.get(authority__code="BB-POL", purpose=purpose)
    where = [("public key", f"BB-POL {key.key_id}")]
    PublicKey.objects.filter(pk=key.pk).update(public=bytes(key.public)[:-1] + b"\0")
    assert named() == where
    PublicKey.objects.filter(pk=key.pk).update(public=key.public, valid_until=key.valid_until + timedelta(days=1))
    assert named() == where
    PublicKey.objects.filter(pk=key.pk).delete()
    assert named() == where


def test_a_lost_or_damaged_trust_root_is_named(network):
    root = trust_root_file()
    root.write_bytes(root.read_bytes()[:-5])
    assert named() == [("trust root", "trust-root.json")]
    root.unlink()
    assert named() == [("trust root", "trust-root.json")]
