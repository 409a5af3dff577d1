"""Access to the cluster: one small module per kind of object, over the official client."""
