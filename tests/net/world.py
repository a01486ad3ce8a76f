"""A broker, a device and an operator, as tests want them."""
import re

from lab import Lab

BROKER_PORT = 8443


class World:
    """device, operator and broker are hosts; id is the device's identity, `door` its name at the operator."""

    def __init__(self):
        self.lab = Lab()
        self.publishing = self.brokering = None

    # ---- topologies ----

    def flat(self, broker="10.9.0.1/24", device="10.9.0.2/24", operator="10.9.0.3/24"):
        """Three hosts on one switch."""
        lab = self.lab
        self.switch = lab.switch("switch")
        self.broker, self.device, self.operator = (lab.host(n) for n in ("broker", "device", "operator"))
        for host, address in ((self.broker, broker), (self.device, device), (self.operator, operator)):
            host.port = lab.plug(self.switch, host, "eth0")
            host.addr("eth0", address)
        self.broker_address = broker.split("/")[0]
        return self

    def natted(self, udp_timeout=None):
        """Broker in public, device and operator each behind a NAT box of their own."""
        lab = self.lab
        self.switch = lab.switch("wan")
        self.broker, self.device, self.operator = (lab.host(n) for n in ("broker", "device", "operator"))
        lab.plug(self.switch, self.broker, "eth0")
        self.broker.addr("eth0", "203.0.113.9/24")
        self.device_nat = lab.nat_box("natA", self.switch, "203.0.113.1/24", "10.1.0.1/24", udp_timeout)
        self.operator_nat = lab.nat_box("natB", self.switch, "203.0.113.2/24", "10.2.0.1/24", udp_timeout)
        lab.behind(self.device_nat, self.device, "10.1.0.2/24")
        lab.behind(self.operator_nat, self.operator, "10.2.0.2/24")
        self.broker_address = "203.0.113.9"
        return self

    # ---- programs ----

    def start_broker(self):
        at = f"[{self.broker_address}]" if ":" in self.broker_address else self.broker_address
        p = self.brokering = self.broker.start("carrier", "broker", "--listen", f"{at}:{BROKER_PORT}")
        p.wait_for("broker =")
        self.line = re.search(r"^broker = (.*)$", p.out, re.M)[1]
        return self

    def setup(self, **device_keys):
        self.id = self.device.setup(self.line, **device_keys)
        self.operator_id = self.operator.setup(self.line)
        self.operator.carrier("names", "add", "door", self.id).ok()
        return self

    def publish(self, *args):
        p = self.publishing = self.device.start("carrier", "publish", *args)
        p.wait_for("status = 200")
        return self

    def claim(self, *options):
        self.operator.carrier("config", "door", "auth", "add", "self", "*", *options).ok()
        return self

    def ready(self, *claim_options, **device_keys):
        return self.start_broker().setup(**device_keys).publish().claim(*claim_options)

    def shell(self, command, **more):
        return self.operator.carrier("shell", "door", "-c", command, **more)

    def close(self):
        self.lab.close()
