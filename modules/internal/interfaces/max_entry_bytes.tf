variable "max_entry_bytes" {
  description = "Larger events go to the bucket, and the bus gets a pointer. EventBridge takes entries of 256 KB wherever it runs; leave some headroom."
  type        = number
  default     = 240000
  nullable    = false

  validation {
    condition     = var.max_entry_bytes >= 1024 && var.max_entry_bytes <= 1000000 && floor(var.max_entry_bytes) == var.max_entry_bytes
    error_message = "max_entry_bytes must be a whole number from 1024 to 1000000."
  }
}
