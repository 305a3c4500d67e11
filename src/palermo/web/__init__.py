"""Pages for people: one module a subject. A page composes queries; a write view calls one action; no rule lives here."""
