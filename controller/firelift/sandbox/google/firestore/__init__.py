"""The state behind Firestore's Admin API, the same over REST and over gRPC: resources as JSON, as REST has them."""
