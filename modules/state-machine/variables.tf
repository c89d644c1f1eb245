variable "name" {
  description = "Name of the state machine, its role and its log group."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores."
  }
}

variable "definition" {
  description = "The workflow in Amazon States Language, as JSON text."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.definition).StartAt) && can(keys(jsondecode(var.definition).States))
    error_message = "definition must be the JSON text of a state machine with StartAt and States."
  }

  validation {
    condition     = length(var.definition) <= 1048576
    error_message = "definition may have 1 MB at most."
  }
}

variable "type" {
  description = "`STANDARD` (up to a year, every step kept, exactly once) or `EXPRESS` (up to five minutes, at least once)."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "EXPRESS"], var.type)
    error_message = "type must be STANDARD or EXPRESS."
  }
}

################################################################################
# Logs
################################################################################

variable "log_level" {
  description = "Steps that are logged: `ERROR`, `FATAL`, `ALL` or `OFF`."
  type        = string
  default     = "ERROR"
  nullable    = false

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.log_level)
    error_message = "log_level must be ALL, ERROR, FATAL or OFF."
  }
}

variable "log_execution_data" {
  description = "Whether the log holds the steps' input and output. They are partners' payloads: off by default."
  type        = bool
  default     = false
  nullable    = false
}
