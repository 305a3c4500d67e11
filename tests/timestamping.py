"""A time-stamping authority of a test's own: ``openssl ts`` behind a real HTTP server on the loopback interface."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
O = Example Time Stamps
CN = {name}
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = answers
[answers]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamper.pem
signer_key = {folder}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass
class TimeStamper:
    """Keys and certificates in a folder. ``asked``: requests that came over HTTP; ``answer`` replaces the reply."""

    folder: Path
    name: str = "Stamps of Example"
    asked: list[bytes] = field(default_factory=list)
    answer: tuple[int, bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for part in ("root", "stamper"):
            text = CONFIGURATION.format(folder=self.folder, name=f"{self.name} {part}")
            (self.folder / f"{part}.cnf").write_text(text)
            self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{part}.key")
        new = ("req", "-new", "-x509", "-days", "3650", "-sha256")
        self._openssl(*new, "-config", "root.cnf", "-extensions", "root", "-key", "root.key", "-out", "root.pem")
        self._openssl("req", "-new", "-config", "stamper.cnf", "-key", "stamper.key", "-out", "stamper.csr")
        signing = ("-CA", "root.pem", "-CAkey", "root.key", "-extfile", "stamper.cnf", "-extensions", "stamper")
        self._openssl(
            "x509", "-req", "-in", "stamper.csr", *signing, "-set_serial", "2", "-days", "3650", "-out", "stamper.pem"
        )

    @property
    def root(self) -> bytes:
        """The root certificate in DER, as a directory lists it."""
        return x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes()).public_bytes(Encoding.DER)

    def stamp(self, request: bytes) -> bytes:
        """The answer (DER) to a request (DER), by this machine's clock."""
        (self.folder / "request.tsq").write_bytes(request)
        self._openssl(
            "ts",
            "-reply",
            "-config",
            "stamper.cnf",
            "-section",
            "answers",
            "-queryfile",
            "request.tsq",
            "-out",
            "r.tsr",
        )
        return (self.folder / "r.tsr").read_bytes()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Answer over HTTP (RFC 3161, section 3.4) on a free port; gives the URL."""
        stamper = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stamper.asked.append(body)
                status, reply = stamper.answer or (200, stamper.stamp(body))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *arguments: object) -> None:
                """Keep the test's output clean."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/stamp"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
