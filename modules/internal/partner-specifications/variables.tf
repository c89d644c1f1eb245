variable "specifications" {
  description = "Specifications by partner, as JSON text; null for a partner that needs none. They may be unknown until apply."
  type        = map(string)
  nullable    = false
}
