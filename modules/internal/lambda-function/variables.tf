variable "name" {
  description = "Name of the function, its role and its log group. Roles are global to an account: put the region into the name to deploy twice."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores: Lambda and IAM take no more."
  }
}

variable "hop" {
  description = "The hop that the function serves, such as `route/cms`: the key of its alarms."
  type        = string
  nullable    = false
}

variable "dead_lettered" {
  description = "Whether what the function fails on becomes a dead letter, so that it needs no alarm of its own where `dlq-review` reads these."
  type        = bool
  default     = false
  nullable    = false
}

variable "configuration" {
  description = "The function's configuration, as JSON text. Stored in `settings.bucket` under a key made of its digest, so code and configuration never mix versions."
  type        = string
  default     = null

  validation {
    condition     = var.configuration == null ? true : can(jsondecode(var.configuration))
    error_message = "configuration must be JSON text: jsonencode({...})."
  }

  validation {
    condition     = var.configuration == null || var.settings.bucket != null
    error_message = "configuration needs a bucket to be stored in: settings.bucket = { name = ..., arn = ... }."
  }
}

variable "recursive_loop" {
  description = "What Lambda does when one chain of requests has invoked the function some 16 times: `Terminate` it, or `Allow` it where the function can send to what feeds it, directly or by way of redrive. Its own counters (attempts, redrives, ages) must then end every chain."
  type        = string
  default     = "Terminate"
  nullable    = false

  validation {
    condition     = contains(["Allow", "Terminate"], var.recursive_loop)
    error_message = "recursive_loop must be Allow or Terminate."
  }
}
