"""The application that one authority runs, as Django apps in the order of ``docs/architecture.md``."""
