"""Large files: sealed bytes that travel in pieces beside the messages, resumed after a cut, verified as a whole.

A message offers the file (:mod:`palermo.sealing.file_offer`); the modules here seal it (:mod:`.offering`), carry its
pieces (:mod:`.carrying`), take them in (:mod:`.arriving`) and open it (:mod:`.opening`). What must hold, whoever dies
when:

- a piece that is on disk under its number is whole and has the digest that its sender listed; no row says so, the
  file does, so nothing that arrived is asked for again;
- the effect of a file, and the receipt that the recipient signs for it, are one transaction, and happen once;
- no whole file is ever in memory, in the database, or written within a transaction.
"""
