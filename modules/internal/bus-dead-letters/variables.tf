variable "name" {
  description = "Name of the bus's module: the queue is `<name>-bus-dlq`, its hop `ingress/<name>-bus`."
  type        = string
  nullable    = false
}

variable "bus_arn" {
  description = "ARN of the bus."
  type        = string
  nullable    = false
}

variable "redrive_target" {
  description = "Where a person's retry sends an event: `bus`, or `none` where only a partner may put events on the bus."
  type        = string
  nullable    = false
}
