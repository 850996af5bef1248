"""numeral.v1.Recognizer, the service's own protocol."""
