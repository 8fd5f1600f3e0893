"""The bundled fediverse: a film night on loopback for the demo, ``fetch --mock`` and the tests."""
