variable "partner" {
  description = "Partner that the messages are from. Its events' source is `partner.<partner>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", var.partner))
    error_message = "partner must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }
}
