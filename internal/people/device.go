package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// touch notes the day a device was last active. A day already noted writes nothing.
type touch struct {
	device ids.Device
	day    uint32
}

func (o *touch) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	dev, ok := getDevice(a, u, o.device)
	if !ok {
		return kernel.UnknownDevice
	}
	// The day is by the clock of some gateway, the entry's time is the cell's: a day far ahead would stay for ever.
	if uint64(o.day) > uint64(today(a))+1 {
		return kernel.Invalid
	}
	if o.day > dev.lastDay {
		dev.lastDay = o.day
		a.Set(deviceKey(u, o.device), encodeDevice(dev))
	}
	return kernel.OK
}

// labelDevice renames a device of the account.
type labelDevice struct {
	device ids.Device
	label  string
}

func (o *labelDevice) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	dev, ok := getDevice(a, u, o.device)
	if !ok {
		return kernel.UnknownDevice
	}
	if dev.label != o.label {
		dev.label = o.label
		a.Set(deviceKey(u, o.device), encodeDevice(dev))
		a.Emit(DevicesChanged{u})
	}
	return kernel.OK
}

// dropDevices removes those of the devices that have no live session left.
func dropDevices(a *kernel.Apply, u ids.User, devices []ids.Device) {
	used := make(map[ids.Device]bool)
	for _, s := range liveSessions(a, u) {
		used[s.device] = true
	}
	for _, d := range devices {
		if !used[d] {
			used[d] = true // once is enough
			a.Delete(deviceKey(u, d))
		}
	}
}
