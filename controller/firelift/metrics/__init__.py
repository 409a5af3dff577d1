"""Where a gate's value comes from: one small source per provider."""
