variable "operators_email" {
  description = "Whom to tell of events that wait for review."
  type        = string
  default     = "media-operations@example.com"
}
