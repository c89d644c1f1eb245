variable "name" {
  description = "Name of the table, the function and its role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{3,64}$", var.name))
    error_message = "name must have 3 to 64 letters, digits, hyphens or underscores."
  }
}
