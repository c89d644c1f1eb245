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
  description = "What a hop's `function` leaves out."
  type        = any
  nullable    = false
}

variable "queue" {
  description = "What a hop's `queue` leaves out."
  type        = any
  nullable    = false
}

variable "failure" {
  description = "What a hop's `failure` leaves out."
  type        = any
  nullable    = false
}
