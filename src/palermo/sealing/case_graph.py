"""Custody as a CASE/UCO graph in JSON-LD, for the tools of forensic laboratories; derived from the manifest alone.

The same manifest gives the same bytes: whoever checks a package writes the graph again and compares. It is a view for
other tools, signed with the package; what counts in law is the manifest and the signed steps in it.

Each item is a ``uco-observable:File`` with a ``case-investigation:ProvenanceRecord``, each step of its custody a
``case-investigation:InvestigativeAction`` that names the action before it. Names are ``urn:uuid:`` of version 5 (RFC
9562) over the package's id. Checked against CASE 1.4 and 1.5 by ``case_validate`` in the tests.
"""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from palermo.sealing import canonical, records
from palermo.sealing.manifest import CustodyEvent, Manifest, ManifestItem

_CASE = "https://ontology.caseontology.org/case/"
_UCO = "https://ontology.unifiedcyberontology.org/uco/"
CONTEXT = {
    "case-investigation": f"{_CASE}investigation/",
    "uco-action": f"{_UCO}action/",
    "uco-core": f"{_UCO}core/",
    "uco-identity": f"{_UCO}identity/",
    "uco-location": f"{_UCO}location/",
    "uco-observable": f"{_UCO}observable/",
    "uco-types": f"{_UCO}types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Node = dict[str, Any]


def custody_graph(manifest: Manifest) -> bytes:
    """The graph of a package, as canonical JSON."""
    graph = _Graph(manifest.package_id)
    provider = graph.name("uco-identity:Organization", manifest.provider)
    graph.name("uco-identity:Organization", manifest.recipient)
    actions = [
        action
        for number, item in enumerate(manifest.items, start=1)
        for action in _item(graph, item, [event for event in manifest.custody if event.item == number])
    ]
    graph.add(
        "case-investigation:Investigation",
        manifest.case_reference,
        {
            "uco-core:name": manifest.case_reference,
            "uco-core:description": f"Given on request {manifest.request_reference} in package {manifest.package_id}",
            "uco-core:object": [*actions, provider],
        },
    )
    return canonical.encode({"@context": CONTEXT, "@graph": graph.nodes})


class _Graph:
    """Nodes of the graph in the order made, each once."""

    def __init__(self, package_id: str) -> None:
        self._package_id = package_id
        self._made: dict[str, Node] = {}

    @property
    def nodes(self) -> list[Node]:
        return list(self._made.values())

    def add(self, kind: str, key: str, properties: Node) -> Node:
        """Add a node and give a reference to it. The same kind and key again is the same node."""
        name = f"urn:uuid:{uuid5(NAMESPACE_URL, chr(10).join((self._package_id, kind, key)))}"
        self._made.setdefault(name, {"@id": name, "@type": kind, **properties})
        return {"@id": name}

    def name(self, kind: str, name: str) -> Node:
        """A node that is known by its name alone: a person, an organisation, a place."""
        return self.add(kind, name, {"uco-core:name": name})


def _item(graph: _Graph, item: ManifestItem, events: list[CustodyEvent]) -> list[Node]:
    """Add an item and its steps; gives references to the steps, in their order."""
    file = graph.add("uco-observable:File", item.path, {"uco-core:hasFacet": _facets(graph, item)})
    record = {
        "uco-core:name": item.name,
        "uco-core:description": item.description,
        "case-investigation:exhibitNumber": item.reference or item.path,
        "uco-core:object": file,
    }
    graph.add("case-investigation:ProvenanceRecord", item.path, record)
    actions: list[Node] = []
    for number, event in enumerate(events, start=1):
        properties = _action(graph, event, file)
        if actions:
            properties["case-investigation:wasInformedBy"] = actions[-1]
        actions.append(graph.add("case-investigation:InvestigativeAction", f"{item.path}\n{number}", properties))
    return actions


def _facets(graph: _Graph, item: ManifestItem) -> list[Node]:
    """Name, size, kind and digests of the file: nodes with names of their own, as CASE 1.5 wants them."""
    size = _typed("xsd:integer", str(item.size))
    name = {"uco-observable:fileName": item.name, "uco-observable:sizeInBytes": size}
    content = {
        "uco-observable:sizeInBytes": size,
        "uco-observable:mimeType": item.media_type,
        "uco-observable:hash": [_hash(graph, item, "SHA256", item.sha256), _hash(graph, item, "SHA512", item.sha512)],
    }
    return [
        graph.add("uco-observable:FileFacet", item.path, name),
        graph.add("uco-observable:ContentDataFacet", item.path, content),
    ]


def _hash(graph: _Graph, item: ManifestItem, method: str, value: str) -> Node:
    properties = {
        "uco-types:hashMethod": method,
        "uco-types:hashValue": _typed("xsd:hexBinary", value.upper()),
    }
    return graph.add("uco-types:Hash", f"{item.path}\n{method}", properties)


def _action(graph: _Graph, event: "CustodyEvent", file: Node) -> Node:
    at = _typed("xsd:dateTime", records.format_time(event.at))
    action: Node = {
        "uco-core:name": event.verb,
        "uco-action:startTime": at,
        "uco-action:endTime": at,
        "uco-action:performer": graph.name("uco-identity:Identity", event.by),
        "uco-action:object": file,
    }
    if event.how:
        action["uco-core:description"] = event.how
    if event.where:
        action["uco-action:location"] = graph.name("uco-location:Location", event.where)
    return action


def _typed(kind: str, value: str) -> Node:
    return {"@type": kind, "@value": value}
