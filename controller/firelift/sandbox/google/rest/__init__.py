"""The REST side of the stand-in: the Google Cloud APIs that the Terraform provider calls, one module per API."""
