"""``/api/v1``: series, events, accounts and opt-outs. Phases and results of events join in ``pipeline.api``."""
