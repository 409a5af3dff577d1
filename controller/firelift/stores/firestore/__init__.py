"""Firestore over raw protobuf messages and our own gRPC stubs."""
