# What has to be said, and what may be.

variable "project" {
  description = "The project that Onus runs in, and whose changes it audits."
  type        = string
}

variable "region" {
  description = "Where the services run."
  type        = string
  default     = "europe-west1"
}

variable "ledger_location" {
  description = "Where the ledger's bucket lies."
  type        = string
  default     = "EU"
}

variable "ledger_retention_days" {
  description = "How long nobody can overwrite or delete a ledger entry."
  type        = number
  default     = 365
}

variable "audit_image" {
  description = "The container image of gcp-audit."
  type        = string
}

variable "respond_image" {
  description = "The container image of gcp-respond."
  type        = string
}

variable "approve_image" {
  description = "The container image of gcp-approve. Empty: no approval links."
  type        = string
  default     = ""
}

variable "approval_secret" {
  description = "The name of a Secret Manager secret with at least 32 random characters, which approval links are signed with. Empty: no approval links."
  type        = string
  default     = ""
}

variable "responds" {
  description = "Whether gcp-respond may write to the project. Until then every response that would write ends in an alarm."
  type        = bool
  default     = false
}

variable "config" {
  description = "The text of onus.yaml."
  type        = string
  default     = ""
}
