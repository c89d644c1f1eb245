variable "operators_email" {
  description = "Address that is notified of events that need review."
  type        = string
  default     = "media-operations@example.com"
}
