"""The reader's pages: reading here, managing in ``manage``. Views ask services and render; they decide nothing."""
