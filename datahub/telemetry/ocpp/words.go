package ocpp

// The enumerations of OCPP 2.0.1 FINAL, as its JSON schemas have them.
var (
	eventTypes      = []string{Started, Updated, Ended}
	chargingStates  = []string{"Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"}
	idTokenTypes    = []string{"Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"}
	locations       = []string{"Body", "Cable", "EV", "Inlet", "Outlet"}
	phases          = []string{"L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"}
	readingContexts = []string{"Interruption.Begin", "Interruption.End", "Other", "Sample.Clock", "Sample.Periodic", TransactionBegin, TransactionEnd, "Trigger"}
	stoppedReasons  = []string{"DeAuthorized", "EmergencyStop", "EnergyLimitReached", "EVDisconnected", "GroundFault", "ImmediateReset", "Local",
		"LocalOutOfCredit", "MasterPass", "Other", "OvercurrentFault", "PowerLoss", "PowerQuality", "Reboot", "Remote", "SOCLimitReached",
		"StoppedByEV", "TimeLimitReached", "Timeout"}
	triggerReasons = []string{"Authorized", "CablePluggedIn", "ChargingRateChanged", "ChargingStateChanged", "Deauthorized", "EnergyLimitReached",
		"EVCommunicationLost", "EVConnectTimeout", "MeterValueClock", "MeterValuePeriodic", "TimeLimitReached", "Trigger", "UnlockCommand",
		"StopAuthorized", "EVDeparted", "EVDetected", "RemoteStop", "RemoteStart", AbnormalCondition, "SignedDataReceived", "ResetCommand"}
	measurands = []string{"Current.Export", "Current.Import", "Current.Offered", "Energy.Active.Export.Register", EnergyImport,
		"Energy.Reactive.Export.Register", "Energy.Reactive.Import.Register", "Energy.Active.Export.Interval", "Energy.Active.Import.Interval",
		"Energy.Active.Net", "Energy.Reactive.Export.Interval", "Energy.Reactive.Import.Interval", "Energy.Reactive.Net", "Energy.Apparent.Net",
		"Energy.Apparent.Import", "Energy.Apparent.Export", "Frequency", "Power.Active.Export", PowerImport, "Power.Factor", "Power.Offered",
		"Power.Reactive.Export", "Power.Reactive.Import", StateOfCharge, "Voltage"}
)

// The words that a simulator or a reader of messages needs.
const (
	Started, Updated, Ended = "Started", "Updated", "Ended"

	TransactionBegin, TransactionEnd = "Transaction.Begin", "Transaction.End"

	AbnormalCondition = "AbnormalCondition"

	EnergyImport, PowerImport, StateOfCharge = "Energy.Active.Import.Register", "Power.Active.Import", "SoC"
)

// faultReasons are the reasons to stop a transaction that are a fault of the pile or its supply.
var faultReasons = []string{"EmergencyStop", "GroundFault", "OvercurrentFault", "PowerLoss", "PowerQuality"}
