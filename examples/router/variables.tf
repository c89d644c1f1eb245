variable "state_machine_arn" {
  description = "State machine that the route `ingest` starts."
  type        = string
  default     = "arn:aws:states:eu-west-1:123456789012:stateMachine:media-example-ingest"
}
