"""The custom resources and the documents that operator and workers share: data, bounds and sentences, no I/O."""
