variable "name" {
  description = "Name of the queue, the function, its role and, with `-idempotency`, the table. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}
