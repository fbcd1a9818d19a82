package gatewayapi

// Limits that the CRDs put on objects, from the kubebuilder markers in
// sigs.k8s.io/gateway-api/apis/v1.
const (
	MaxRules             = 16   // HTTPRouteSpec.Rules, GRPCRouteSpec.Rules (httproute_types.go, grpcroute_types.go)
	MaxMatches           = 64   // HTTPRouteRule.Matches (httproute_types.go)
	MaxMatchesPerRoute   = 128  // CEL on HTTPRouteSpec.Rules (httproute_types.go)
	MaxHostnames         = 16   // HTTPRouteSpec.Hostnames (httproute_types.go)
	MaxBackendRefs       = 16   // HTTPRouteRule.BackendRefs (httproute_types.go)
	MaxFilters           = 16   // HTTPRouteRule.Filters (httproute_types.go)
	MaxHeaderMatches     = 16   // HTTPRouteMatch.Headers (httproute_types.go)
	MaxQueryMatches      = 16   // HTTPRouteMatch.QueryParams (httproute_types.go)
	MaxHeaderChanges     = 16   // HTTPHeaderFilter.Set, Add and Remove each (httproute_types.go)
	MaxPath              = 1024 // HTTPPathMatch.Value, HTTPPathModifier (httproute_types.go)
	MaxHeaderValue       = 4096 // HTTPHeaderMatch.Value (httproute_types.go)
	MaxQueryValue        = 1024 // HTTPQueryParamMatch.Value (httproute_types.go)
	MaxListeners         = 64   // GatewaySpec.Listeners, ListenerSetSpec.Listeners (gateway_types.go, listenerset_types.go)
	MaxParentRefs        = 32   // CommonRouteSpec.ParentRefs (shared_types.go)
	MaxCertificateRefs   = 64   // ListenerTLSConfig.CertificateRefs (gateway_types.go)
	MaxGrantEntries      = 16   // ReferenceGrantSpec.From and To (referencegrant_types.go)
	MaxCORSItems         = 64   // HTTPCORSFilter.AllowOrigins, AllowHeaders, ExposeHeaders (httproute_types.go)
	MaxCORSMethods       = 9    // HTTPCORSFilter.AllowMethods (httproute_types.go)
	MaxSessionName       = 128  // SessionPersistence.SessionName (shared_types.go)
	MaxCARefs            = 8    // FrontendTLSValidation.CACertificateRefs until v1.5 (gateway_types.go)
	MaxName              = 253  // metadata.name of routes
	MaxLabel             = 63   // Gateway names, used as label values (gateway_types.go)
	MaxHeaderNameLength  = 256  // HeaderName (shared_types.go)
	MaxHostnameLength    = 253  // Hostname (shared_types.go)
	MaxWeight            = 1000000
	MaxTLSRouteHostnames = 16 // kept by every release; v1.6 allows more (tlsroute_types.go)
)
