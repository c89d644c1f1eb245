variable "name" {
  description = "Prefix of the names of what is made of a hop: `<name>-<key>`."
  type        = string
  nullable    = false
}

variable "bus_arn" {
  description = "ARN of the event bus that the hops take events from."
  type        = string
  nullable    = false
}

variable "retired" {
  description = "Whether the hops get nothing but what is redriven to them."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc" {
  description = "Whether functions are in a VPC unless a hop says otherwise: `settings.vpc`, or null."
  type        = any
  default     = null
}

variable "transforms" {
  description = "Transforms by key, as the user wrote them."
  type        = any
  nullable    = false
}

variable "routes" {
  description = "Routes by key, as the user wrote them."
  type        = any
  nullable    = false
}

variable "function" {
  description = "Defaults of a hop's `function`."
  type        = any
  nullable    = false
}

variable "queue" {
  description = "Defaults of a hop's `queue`."
  type        = any
  nullable    = false
}

variable "failure" {
  description = "Defaults of a hop's `failure`."
  type        = any
  nullable    = false
}
