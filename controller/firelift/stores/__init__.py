"""Document databases behind the data plane's `Store` protocol."""
