variable "project_id" {
  description = "The project of the database."
  type        = string
  nullable    = false
}

variable "database" {
  description = "The database's name, such as `(default)`. It has no default: rules that are released for the wrong database open or close it."
  type        = string
  nullable    = false
}

variable "source_text" {
  description = "The rules, as `firestore.rules` has them: `file(\"firestore.rules\")`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("service\\s+cloud\\.firestore\\s*\\{", var.source_text))
    error_message = "The rules of Firestore have a block `service cloud.firestore { … }`; give the text of the file, not its path."
  }
}

variable "file_name" {
  description = "What the rules are called in Firebase's console and in its messages of errors."
  type        = string
  default     = "firestore.rules"
  nullable    = false
}
