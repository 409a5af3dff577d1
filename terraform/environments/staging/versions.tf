terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40.0, < 8.0.0"
    }
  }

  # terraform init -backend-config=bucket=NAME
  backend "gcs" {
    prefix = "productivityai/staging"
  }
}

provider "google" {
  project               = "productivityai-staging"
  billing_project       = "productivityai-staging"
  user_project_override = true
}
