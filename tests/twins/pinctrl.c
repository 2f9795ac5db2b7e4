// SPDX-License-Identifier: GPL-2.0
/*
 * What modules/pinctrl does, in plain C: only to compare the two.
 */

#include <linux/bits.h>
#include <linux/gpio/driver.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/of.h>
#include <linux/pinctrl/consumer.h>
#include <linux/pinctrl/pinconf.h>
#include <linux/pinctrl/pinconf-generic.h>
#include <linux/pinctrl/pinctrl.h>
#include <linux/pinctrl/pinmux.h>
#include <linux/platform_device.h>
#include <linux/property.h>

#include "twins.h"

#define EINTS		24

#define MODES		0x20
#define MODE_GPIO	0
#define MODE_PWM	1
#define MODE_EINT	5
#define MODE_COUNTER	6

#define OUTPUT		0x10
#define DIRECTION	0x20
#define PULL_UP		0x30
#define PULL_DOWN	0x40
#define SLEW_RATE	0x50
#define INPUT_ENABLE	0x60
#define DRIVE_STRENGTH	0x70
#define SET		4
#define CLEAR		8
#define SOFTWARE_PULL	BIT(31)

#define SENSE		0x200
#define EDGE_TO_LEVEL	0x240
#define PENDING		0x280
#define DISABLE		0x600
#define DUAL_EDGE	BIT(7)
#define POLARITY	BIT(8)

enum twin_block {
	PINMUX, CIRQ, GROUP0, GROUP1, GROUP2, GROUP3, GROUP4, GROUP5, UNMAPPED,
	ISU0, ISU1, ISU2, ADC, I2S0, I2S1, ISU3, ISU4, ISU5, BLOCKS
};

static const char * const block_names[BLOCKS] = {
	"pinmux", "cirq", "group0", "group1", "group2", "group3", "group4", "group5", "unmapped",
	"isu0", "isu1", "isu2", "adc", "i2s0", "i2s1", "isu3", "isu4", "isu5",
};

/* Makes the tables that have an entry for each pin. */
#define TEN(make, tens)								\
	make(tens##0), make(tens##1), make(tens##2), make(tens##3), make(tens##4),	\
	make(tens##5), make(tens##6), make(tens##7), make(tens##8), make(tens##9)
#define ALL(make)								\
	TEN(make, ), TEN(make, 1), TEN(make, 2), TEN(make, 3), TEN(make, 4), TEN(make, 5),	\
	TEN(make, 6), TEN(make, 7), TEN(make, 8), make(90), make(91), make(92), make(93)
#define PIN(n)		PINCTRL_PIN(n, "GPIO" #n)
#define NAME(n)		"GPIO" #n
#define GROUP(n)	PINCTRL_PINGROUP("GPIO" #n, &pins[n].number, 1)

static const struct pinctrl_pin_desc pins[] = { ALL(PIN) };
static const struct pingroup groups[] = { ALL(GROUP) };
static const char * const names[] = { ALL(NAME) };

struct twin_function {
	struct pinfunction function;
	u32 mode;
};

static const struct twin_function functions[] = {
	{ PINCTRL_PINFUNCTION("gpio", names, ARRAY_SIZE(names)), MODE_GPIO },
	{ PINCTRL_PINFUNCTION("pwm", names, 12), MODE_PWM },
	{ PINCTRL_PINFUNCTION("eint", names, EINTS), MODE_EINT },
	{ PINCTRL_PINFUNCTION("counter", names, EINTS), MODE_COUNTER },
	{ PINCTRL_PINFUNCTION("mode1", names, ARRAY_SIZE(names)), 1 },
	{ PINCTRL_PINFUNCTION("mode2", names, ARRAY_SIZE(names)), 2 },
	{ PINCTRL_PINFUNCTION("mode3", names, ARRAY_SIZE(names)), 3 },
	{ PINCTRL_PINFUNCTION("mode4", names, ARRAY_SIZE(names)), 4 },
	{ PINCTRL_PINFUNCTION("mode5", names, ARRAY_SIZE(names)), 5 },
	{ PINCTRL_PINFUNCTION("mode6", names, ARRAY_SIZE(names)), 6 },
	{ PINCTRL_PINFUNCTION("mode7", names, ARRAY_SIZE(names)), 7 },
};

/* Pins with neighbouring bits: the first, the one behind the last, their block, and the first bit. */
static const struct twin_span {
	u8 first, end, block, bit;
} spans[] = {
	{ 0, 4, GROUP0, 0 }, { 4, 8, GROUP1, 0 }, { 8, 12, GROUP2, 0 },
	{ 12, 16, GROUP3, 0 }, { 16, 20, GROUP4, 0 }, { 20, 24, GROUP5, 0 },
	{ 24, 26, UNMAPPED, 0 }, { 26, 31, ISU0, 0 }, { 31, 36, ISU1, 0 },
	{ 36, 41, ISU2, 0 }, { 41, 49, ADC, 0 }, { 49, 56, UNMAPPED, 2 },
	{ 56, 61, I2S0, 0 }, { 61, 66, I2S1, 0 }, { 66, 71, ISU3, 0 },
	{ 71, 76, ISU4, 0 }, { 76, 81, ISU5, 0 }, { 81, 94, UNMAPPED, 9 },
};

struct twin;

struct twin_line {
	struct twin *twin;
};

struct twin {
	struct device *dev;
	void __iomem *blocks[BLOCKS];
	bool unmapped_uniform;
	bool polarity_low;
	bool eint_needs_mode;
	bool has_drive_strengths;
	u32 drive_strengths[4];
	/* Held while a register without aliases is read and written. */
	raw_spinlock_t lock;
	struct gpio_chip chip;
	struct twin_line lines[EINTS];
};

/* Where a pin has its bits. */
struct twin_pad {
	enum twin_block block;
	unsigned int bit;
};

static int twin_pinctrl_pad(unsigned int pin, struct twin_pad *pad)
{
	const struct twin_span *span;

	for (span = spans; span < spans + ARRAY_SIZE(spans); span++) {
		if (pin >= span->first && pin < span->end) {
			pad->block = span->block;
			pad->bit = span->bit + pin - span->first;
			return 0;
		}
	}
	return -EINVAL;
}

/* A register with a bit for each pin of a block, or with its drive strengths. */
static void __iomem *twin_pinctrl_bits(struct twin *twin, enum twin_block block, u32 offset)
{
	if (block == UNMAPPED && !twin->unmapped_uniform && offset >= DIRECTION)
		offset += offset - OUTPUT;
	return twin->blocks[block] + offset;
}

static u32 twin_pinctrl_modify(struct twin *twin, void __iomem *reg, u32 mask, u32 bits)
{
	unsigned long flags;
	u32 value;

	raw_spin_lock_irqsave(&twin->lock, flags);
	writel((readl(reg) & ~mask) | bits, reg);
	value = readl(reg);
	raw_spin_unlock_irqrestore(&twin->lock, flags);
	return value;
}

static void twin_pinctrl_put(struct twin *twin, const struct twin_pad *pad, u32 offset, bool value)
{
	writel(BIT(pad->bit),
	       twin_pinctrl_bits(twin, pad->block, offset) + (value ? SET : CLEAR));
}

static bool twin_pinctrl_bit(struct twin *twin, const struct twin_pad *pad, u32 offset)
{
	return readl(twin_pinctrl_bits(twin, pad->block, offset)) & BIT(pad->bit);
}

static int twin_pinctrl_set_mode(struct twin *twin, unsigned int pin, u32 mode)
{
	u32 shift = pin % 8 * 4;
	u32 value;

	value = twin_pinctrl_modify(twin, twin->blocks[PINMUX] + MODES + pin / 8 * 4, 0xf << shift,
				    mode << shift);
	value = value >> shift & 0xf;
	if (value != mode) {
		dev_err(twin->dev,
			"GPIO%u stays in mode %u instead of %u: the multiplexer cannot be written\n",
			pin, value, mode);
		return -EACCES;
	}
	return 0;
}

static void twin_pinctrl_input(struct twin *twin, const struct twin_pad *pad)
{
	twin_pinctrl_put(twin, pad, DIRECTION, false);
	twin_pinctrl_put(twin, pad, INPUT_ENABLE, true);
}

static void twin_pinctrl_output(struct twin *twin, const struct twin_pad *pad, bool high)
{
	twin_pinctrl_put(twin, pad, OUTPUT, high);
	twin_pinctrl_put(twin, pad, INPUT_ENABLE, false);
	twin_pinctrl_put(twin, pad, DIRECTION, true);
}

static void twin_pinctrl_pull(struct twin *twin, const struct twin_pad *pad, u32 offset)
{
	twin_pinctrl_put(twin, pad, PULL_UP, false);
	twin_pinctrl_put(twin, pad, PULL_DOWN, false);
	if (offset)
		twin_pinctrl_put(twin, pad, offset, true);
}

static int twin_pinctrl_level(struct twin *twin, unsigned int line)
{
	struct twin_pad pad;
	u32 input;
	int ret;

	ret = twin_pinctrl_pad(line, &pad);
	if (ret)
		return ret;
	if (twin_pinctrl_bit(twin, &pad, DIRECTION))
		return twin_pinctrl_bit(twin, &pad, OUTPUT);
	switch (pad.block) {
	case ISU0 ... ISU2:
	case ISU3 ... ISU5:
		input = 0x0c;
		break;
	case UNMAPPED:
	case I2S0:
	case I2S1:
		input = 0x00;
		break;
	default:
		input = 0x04;
	}
	return !!(readl(twin->blocks[pad.block] + input) & BIT(pad.bit));
}

/* The pin controller. */

static int twin_pinctrl_get_groups_count(struct pinctrl_dev *pctldev)
{
	return ARRAY_SIZE(groups);
}

static const char *twin_pinctrl_get_group_name(struct pinctrl_dev *pctldev, unsigned int selector)
{
	return groups[selector].name;
}

static int twin_pinctrl_get_group_pins(struct pinctrl_dev *pctldev, unsigned int selector,
				       const unsigned int **group_pins, unsigned int *num_pins)
{
	*group_pins = groups[selector].pins;
	*num_pins = groups[selector].npins;
	return 0;
}

static bool twin_pinctrl_is_group(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (!strcmp(groups[i].name, name))
			return true;
	return false;
}

/* Checks that everything that an entry names is in the tables. */
static int twin_pinctrl_check(struct device *dev, struct device_node *np,
			      const struct pinctrl_map *entry)
{
	const char *name, *function;
	unsigned int i;

	if (entry->type != PIN_MAP_TYPE_MUX_GROUP) {
		name = entry->data.configs.group_or_pin;
		/* Pins and groups have the same names. */
		if (twin_pinctrl_is_group(name))
			return 0;
		dev_err(dev, "%pOF: there is no %s \"%s\"\n", np,
			entry->type == PIN_MAP_TYPE_CONFIGS_PIN ? "pin" : "group of pins", name);
		return -EINVAL;
	}
	name = entry->data.mux.group;
	function = entry->data.mux.function;
	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].function.name, function))
			break;
	if (i == ARRAY_SIZE(functions)) {
		dev_err(dev, "%pOF: there is no function \"%s\"\n", np, function);
		return -EINVAL;
	}
	if (!twin_pinctrl_is_group(name)) {
		dev_err(dev, "%pOF: there is no group of pins \"%s\"\n", np, name);
		return -EINVAL;
	}
	if (match_string(functions[i].function.groups, functions[i].function.ngroups, name) < 0) {
		dev_err(dev, "%pOF: group \"%s\" does not have function \"%s\"\n", np, name,
			function);
		return -EINVAL;
	}
	return 0;
}

static int twin_pinctrl_dt_node_to_map(struct pinctrl_dev *pctldev, struct device_node *np,
				       struct pinctrl_map **map, unsigned int *num_maps)
{
	struct twin *twin = pinctrl_dev_get_drvdata(pctldev);
	unsigned int i;
	int ret;

	ret = pinconf_generic_dt_node_to_map(pctldev, np, map, num_maps, PIN_MAP_TYPE_INVALID);
	if (ret)
		return ret;
	if (!*num_maps) {
		dev_err(twin->dev, "%pOF: no pins or groups that get a function or a setting\n",
			np);
		ret = -EINVAL;
	}
	for (i = 0; !ret && i < *num_maps; i++)
		ret = twin_pinctrl_check(twin->dev, np, *map + i);
	if (ret)
		pinconf_generic_dt_free_map(pctldev, *map, *num_maps);
	return ret;
}

static const struct pinctrl_ops twin_pinctrl_ops = {
	.get_groups_count = twin_pinctrl_get_groups_count,
	.get_group_name = twin_pinctrl_get_group_name,
	.get_group_pins = twin_pinctrl_get_group_pins,
	.dt_node_to_map = twin_pinctrl_dt_node_to_map,
	.dt_free_map = pinconf_generic_dt_free_map,
};

static int twin_pinctrl_get_functions_count(struct pinctrl_dev *pctldev)
{
	return ARRAY_SIZE(functions);
}

static const char *twin_pinctrl_get_function_name(struct pinctrl_dev *pctldev,
						  unsigned int selector)
{
	return functions[selector].function.name;
}

static int twin_pinctrl_get_function_groups(struct pinctrl_dev *pctldev, unsigned int selector,
					    const char * const **function_groups,
					    unsigned int *num_groups)
{
	*function_groups = functions[selector].function.groups;
	*num_groups = functions[selector].function.ngroups;
	return 0;
}

static int twin_pinctrl_set_mux(struct pinctrl_dev *pctldev, unsigned int function,
				unsigned int group)
{
	struct twin *twin = pinctrl_dev_get_drvdata(pctldev);
	unsigned int i;
	int ret;

	for (i = 0; i < groups[group].npins; i++) {
		ret = twin_pinctrl_set_mode(twin, groups[group].pins[i], functions[function].mode);
		if (ret)
			return ret;
	}
	return 0;
}

static int twin_pinctrl_gpio_request_enable(struct pinctrl_dev *pctldev,
					    struct pinctrl_gpio_range *range, unsigned int pin)
{
	return twin_pinctrl_set_mode(pinctrl_dev_get_drvdata(pctldev), pin, MODE_GPIO);
}

static const struct pinmux_ops twin_pinctrl_pinmux_ops = {
	.get_functions_count = twin_pinctrl_get_functions_count,
	.get_function_name = twin_pinctrl_get_function_name,
	.get_function_groups = twin_pinctrl_get_function_groups,
	.set_mux = twin_pinctrl_set_mux,
	.gpio_request_enable = twin_pinctrl_gpio_request_enable,
	.strict = true,
};

static int twin_pinctrl_config_get(struct pinctrl_dev *pctldev, unsigned int pin,
				   unsigned long *config)
{
	struct twin *twin = pinctrl_dev_get_drvdata(pctldev);
	enum pin_config_param param = pinconf_to_config_param(*config);
	struct twin_pad pad;
	u32 argument = 1;
	int ret;

	ret = twin_pinctrl_pad(pin, &pad);
	if (ret)
		return ret;
	switch (param) {
	case PIN_CONFIG_BIAS_DISABLE:
		if (twin_pinctrl_bit(twin, &pad, PULL_UP) ||
		    twin_pinctrl_bit(twin, &pad, PULL_DOWN))
			return -EINVAL;
		break;
	case PIN_CONFIG_BIAS_PULL_UP:
		if (!twin_pinctrl_bit(twin, &pad, PULL_UP))
			return -EINVAL;
		break;
	case PIN_CONFIG_BIAS_PULL_DOWN:
		if (!twin_pinctrl_bit(twin, &pad, PULL_DOWN))
			return -EINVAL;
		break;
	case PIN_CONFIG_SLEW_RATE:
		argument = twin_pinctrl_bit(twin, &pad, SLEW_RATE);
		break;
	case PIN_CONFIG_INPUT_ENABLE:
		if (!twin_pinctrl_bit(twin, &pad, INPUT_ENABLE))
			return -EINVAL;
		break;
	case PIN_CONFIG_LEVEL:
		argument = twin_pinctrl_level(twin, pin);
		break;
	case PIN_CONFIG_DRIVE_STRENGTH:
		if (!twin->has_drive_strengths)
			return -ENOTSUPP;
		argument = readl(twin_pinctrl_bits(twin, pad.block, DRIVE_STRENGTH));
		argument = twin->drive_strengths[argument >> pad.bit * 2 & 3];
		break;
	default:
		return -ENOTSUPP;
	}
	*config = pinconf_to_config_packed(param, argument);
	return 0;
}

static int twin_pinctrl_set_drive_strength(struct twin *twin, unsigned int pin,
					   const struct twin_pad *pad, u32 argument)
{
	unsigned int i;

	if (!twin->has_drive_strengths)
		return -ENOTSUPP;
	for (i = 0; i < ARRAY_SIZE(twin->drive_strengths); i++) {
		if (twin->drive_strengths[i] == argument) {
			twin_pinctrl_modify(twin,
					    twin_pinctrl_bits(twin, pad->block, DRIVE_STRENGTH),
					    3 << pad->bit * 2, i << pad->bit * 2);
			return 0;
		}
	}
	dev_err(twin->dev, "GPIO%u cannot drive %u mA, but one of [%u, %u, %u, %u]\n", pin,
		argument, twin->drive_strengths[0], twin->drive_strengths[1],
		twin->drive_strengths[2], twin->drive_strengths[3]);
	return -EINVAL;
}

static int twin_pinctrl_config_set_one(struct twin *twin, unsigned int pin, unsigned long config)
{
	u32 argument = pinconf_to_config_argument(config);
	struct twin_pad pad;
	int ret;

	ret = twin_pinctrl_pad(pin, &pad);
	if (ret)
		return ret;
	switch (pinconf_to_config_param(config)) {
	case PIN_CONFIG_BIAS_DISABLE:
		twin_pinctrl_pull(twin, &pad, 0);
		return 0;
	case PIN_CONFIG_BIAS_PULL_UP:
		if (!argument)
			return -EINVAL;
		twin_pinctrl_pull(twin, &pad, PULL_UP);
		return 0;
	case PIN_CONFIG_BIAS_PULL_DOWN:
		if (!argument)
			return -EINVAL;
		twin_pinctrl_pull(twin, &pad, PULL_DOWN);
		return 0;
	case PIN_CONFIG_SLEW_RATE:
		if (argument > 1)
			return -EINVAL;
		twin_pinctrl_put(twin, &pad, SLEW_RATE, argument);
		return 0;
	case PIN_CONFIG_INPUT_ENABLE:
		twin_pinctrl_put(twin, &pad, INPUT_ENABLE, argument);
		return 0;
	case PIN_CONFIG_LEVEL:
		twin_pinctrl_output(twin, &pad, argument);
		return 0;
	case PIN_CONFIG_DRIVE_STRENGTH:
		return twin_pinctrl_set_drive_strength(twin, pin, &pad, argument);
	default:
		return -ENOTSUPP;
	}
}

static int twin_pinctrl_config_set(struct pinctrl_dev *pctldev, unsigned int pin,
				   unsigned long *configs, unsigned int num_configs)
{
	struct twin *twin = pinctrl_dev_get_drvdata(pctldev);
	unsigned int i;
	int ret;

	for (i = 0; i < num_configs; i++) {
		ret = twin_pinctrl_config_set_one(twin, pin, configs[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int twin_pinctrl_config_group_set(struct pinctrl_dev *pctldev, unsigned int selector,
					 unsigned long *configs, unsigned int num_configs)
{
	unsigned int i;
	int ret;

	for (i = 0; i < groups[selector].npins; i++) {
		ret = twin_pinctrl_config_set(pctldev, groups[selector].pins[i], configs,
					      num_configs);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct pinconf_ops twin_pinctrl_pinconf_ops = {
	.is_generic = true,
	.pin_config_get = twin_pinctrl_config_get,
	.pin_config_set = twin_pinctrl_config_set,
	.pin_config_group_set = twin_pinctrl_config_group_set,
};

static const struct pinctrl_desc twin_pinctrl_desc = {
	.name = "mt3620-pinctrl",
	.pins = pins,
	.npins = ARRAY_SIZE(pins),
	.pctlops = &twin_pinctrl_ops,
	.pmxops = &twin_pinctrl_pinmux_ops,
	.confops = &twin_pinctrl_pinconf_ops,
	.owner = THIS_MODULE,
	.link_consumers = true,
};

/* The GPIO lines. */

static int twin_pinctrl_request(struct gpio_chip *chip, unsigned int line)
{
	if (!pinctrl_gpio_can_use_line(chip, line))
		return -EBUSY;
	return gpiochip_generic_request(chip, line);
}

static int twin_pinctrl_get_direction(struct gpio_chip *chip, unsigned int line)
{
	struct twin_pad pad;
	int ret;

	ret = twin_pinctrl_pad(line, &pad);
	if (ret)
		return ret;
	return twin_pinctrl_bit(gpiochip_get_data(chip), &pad, DIRECTION) ?
		       GPIO_LINE_DIRECTION_OUT : GPIO_LINE_DIRECTION_IN;
}

static int twin_pinctrl_direction_input(struct gpio_chip *chip, unsigned int line)
{
	struct twin_pad pad;
	int ret;

	ret = twin_pinctrl_pad(line, &pad);
	if (ret)
		return ret;
	twin_pinctrl_input(gpiochip_get_data(chip), &pad);
	return 0;
}

static int twin_pinctrl_direction_output(struct gpio_chip *chip, unsigned int line, int value)
{
	struct twin *twin = gpiochip_get_data(chip);
	struct twin_pad pad;
	int ret;

	ret = twin_pinctrl_pad(line, &pad);
	if (ret)
		return ret;
	twin_pinctrl_output(twin, &pad, value);
	if (twin->eint_needs_mode)
		return twin_pinctrl_set_mode(twin, line, MODE_GPIO);
	return 0;
}

static int twin_pinctrl_get(struct gpio_chip *chip, unsigned int line)
{
	return twin_pinctrl_level(gpiochip_get_data(chip), line);
}

static int twin_pinctrl_set(struct gpio_chip *chip, unsigned int line, int value)
{
	struct twin_pad pad;
	int ret;

	ret = twin_pinctrl_pad(line, &pad);
	if (ret)
		return ret;
	twin_pinctrl_put(gpiochip_get_data(chip), &pad, OUTPUT, value);
	return 0;
}

static int twin_pinctrl_add_pin_ranges(struct gpio_chip *chip)
{
	return gpiochip_add_pin_range(chip, dev_name(chip->parent), 0, 0, ARRAY_SIZE(pins));
}

/* Their interrupts. */

static unsigned int twin_pinctrl_number(unsigned int eint)
{
	return eint < 4 ? 17 + eint : 57 + eint;
}

static void __iomem *twin_pinctrl_cirq(struct twin *twin, u32 array, unsigned int eint)
{
	return twin->blocks[CIRQ] + array + twin_pinctrl_number(eint) / 32 * 4;
}

static u32 twin_pinctrl_eint(unsigned int eint)
{
	return BIT(twin_pinctrl_number(eint) % 32);
}

static void twin_pinctrl_disable(struct twin *twin, unsigned int eint, bool disabled)
{
	u32 bit = twin_pinctrl_eint(eint);

	twin_pinctrl_modify(twin, twin_pinctrl_cirq(twin, DISABLE, eint), bit,
			    disabled ? bit : 0);
}

static void twin_pinctrl_acknowledge(struct twin *twin, unsigned int eint)
{
	writel(twin_pinctrl_eint(eint), twin_pinctrl_cirq(twin, PENDING, eint));
}

static void twin_pinctrl_irq_mask(struct irq_data *data)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);

	twin_pinctrl_disable(gpiochip_get_data(chip), irqd_to_hwirq(data), true);
	gpiochip_disable_irq(chip, irqd_to_hwirq(data));
}

static void twin_pinctrl_irq_unmask(struct irq_data *data)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);

	gpiochip_enable_irq(chip, irqd_to_hwirq(data));
	twin_pinctrl_disable(gpiochip_get_data(chip), irqd_to_hwirq(data), false);
}

static void twin_pinctrl_irq_ack(struct irq_data *data)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);

	twin_pinctrl_acknowledge(gpiochip_get_data(chip), irqd_to_hwirq(data));
}

static int twin_pinctrl_irq_set_type(struct irq_data *data, unsigned int type)
{
	struct gpio_chip *chip = irq_data_get_irq_chip_data(data);
	struct twin *twin = gpiochip_get_data(chip);
	unsigned int eint = irqd_to_hwirq(data);
	u32 bit = twin_pinctrl_eint(eint);
	bool edge = type & IRQ_TYPE_EDGE_BOTH;
	u32 sensitivity;
	int ret;

	switch (type & IRQ_TYPE_SENSE_MASK) {
	case IRQ_TYPE_EDGE_RISING:
	case IRQ_TYPE_LEVEL_HIGH:
		sensitivity = twin->polarity_low ? 0 : POLARITY;
		break;
	case IRQ_TYPE_EDGE_FALLING:
	case IRQ_TYPE_LEVEL_LOW:
		sensitivity = twin->polarity_low ? POLARITY : 0;
		break;
	case IRQ_TYPE_EDGE_BOTH:
		sensitivity = DUAL_EDGE;
		break;
	default:
		return -EINVAL;
	}
	if (twin->eint_needs_mode) {
		ret = twin_pinctrl_set_mode(twin, eint, MODE_EINT);
		if (ret)
			return ret;
	}
	twin_pinctrl_modify(twin, twin->blocks[CIRQ] + eint * 4, DUAL_EDGE | POLARITY,
			    sensitivity);
	twin_pinctrl_modify(twin, twin_pinctrl_cirq(twin, SENSE, eint), bit, edge ? 0 : bit);
	twin_pinctrl_modify(twin, twin_pinctrl_cirq(twin, EDGE_TO_LEVEL, eint), bit,
			    edge ? bit : 0);
	twin_pinctrl_acknowledge(twin, eint);
	irq_set_handler_locked(data, edge ? handle_edge_irq : handle_level_irq);
	return 0;
}

static const struct irq_chip twin_pinctrl_irq_chip = {
	.name = "mt3620",
	.irq_mask = twin_pinctrl_irq_mask,
	.irq_unmask = twin_pinctrl_irq_unmask,
	.irq_ack = twin_pinctrl_irq_ack,
	.irq_set_type = twin_pinctrl_irq_set_type,
	.flags = IRQCHIP_IMMUTABLE | IRQCHIP_SET_TYPE_MASKED,
	GPIOCHIP_IRQ_RESOURCE_HELPERS,
};

static void twin_pinctrl_init_valid_mask(struct gpio_chip *chip, unsigned long *valid_mask,
					 unsigned int lines)
{
	bitmap_clear(valid_mask, EINTS, lines - EINTS);
}

static irqreturn_t twin_pinctrl_handle(int irq, void *data)
{
	struct twin_line *line = data;
	struct twin *twin = line->twin;

	if (generic_handle_domain_irq_safe(twin->chip.irq.domain, line - twin->lines))
		return IRQ_NONE;
	return IRQ_HANDLED;
}

static int twin_pinctrl_add_chip(struct twin *twin)
{
	struct gpio_chip *chip = &twin->chip;

	chip->label = "mt3620";
	chip->names = names;
	chip->parent = twin->dev;
	chip->owner = THIS_MODULE;
	chip->request = twin_pinctrl_request;
	chip->free = gpiochip_generic_free;
	chip->get_direction = twin_pinctrl_get_direction;
	chip->direction_input = twin_pinctrl_direction_input;
	chip->direction_output = twin_pinctrl_direction_output;
	chip->get = twin_pinctrl_get;
	chip->set = twin_pinctrl_set;
	chip->set_config = gpiochip_generic_config;
	chip->add_pin_ranges = twin_pinctrl_add_pin_ranges;
	chip->base = -1;
	chip->ngpio = ARRAY_SIZE(pins);
	gpio_irq_chip_set_chip(&chip->irq, &twin_pinctrl_irq_chip);
	chip->irq.handler = handle_bad_irq;
	chip->irq.default_type = IRQ_TYPE_NONE;
	chip->irq.init_valid_mask = twin_pinctrl_init_valid_mask;
	return devm_gpiochip_add_data(twin->dev, chip, twin);
}

/* Stops all interrupts, forgets what was pending, and gives the pulls to software. */
static void twin_pinctrl_reset(struct twin *twin)
{
	unsigned int i;

	for (i = 0; i < EINTS; i++) {
		twin_pinctrl_disable(twin, i, true);
		twin_pinctrl_acknowledge(twin, i);
	}
	for (i = GROUP0; i <= GROUP5; i++) {
		writel(SOFTWARE_PULL, twin->blocks[i] + PULL_UP + SET);
		writel(SOFTWARE_PULL, twin->blocks[i] + PULL_DOWN + SET);
	}
}

static int twin_pinctrl_choices(struct twin *twin)
{
	const char *name = "mediatek,drive-strengths";
	struct device *dev = twin->dev;

	twin->unmapped_uniform = device_property_read_bool(dev, "mediatek,unmapped-uniform");
	twin->polarity_low = device_property_read_bool(dev, "mediatek,eint-polarity-low");
	twin->eint_needs_mode = device_property_read_bool(dev, "mediatek,eint-needs-mode");
	twin->has_drive_strengths = device_property_present(dev, name);
	if (!twin->has_drive_strengths)
		return 0;
	if (device_property_count_u32(dev, name) != ARRAY_SIZE(twin->drive_strengths)) {
		dev_err(dev, "%pOF: %s does not have four values\n", dev->of_node, name);
		return -EINVAL;
	}
	return device_property_read_u32_array(dev, name, twin->drive_strengths,
					      ARRAY_SIZE(twin->drive_strengths));
}

static int twin_pinctrl_map(struct platform_device *pdev, struct twin *twin)
{
	struct device *dev = twin->dev;
	resource_size_t size;
	struct resource *res;
	unsigned int i;

	for (i = 0; i < BLOCKS; i++) {
		res = platform_get_resource_byname(pdev, IORESOURCE_MEM, block_names[i]);
		if (!res) {
			dev_err(dev, "%pOF: reg-names has no \"%s\"\n", dev->of_node,
				block_names[i]);
			return -EINVAL;
		}
		size = i == CIRQ ? 0x610 : 0x100;
		if (resource_size(res) < size) {
			dev_err(dev, "%pOF: \"%s\" has %#llx bytes, fewer than %#llx\n",
				dev->of_node, block_names[i],
				(unsigned long long)resource_size(res), (unsigned long long)size);
			return -EINVAL;
		}
		twin->blocks[i] = devm_ioremap(dev, res->start, resource_size(res));
		if (!twin->blocks[i]) {
			dev_err(dev, "%pOF: \"%s\" cannot be mapped\n", dev->of_node,
				block_names[i]);
			return -ENOMEM;
		}
	}
	return 0;
}

static int twin_pinctrl_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct pinctrl_dev *pctldev;
	int irqs[EINTS];
	struct twin *twin;
	unsigned int i;
	int ret;

	twin = devm_kzalloc(dev, sizeof(*twin), GFP_KERNEL);
	if (!twin)
		return -ENOMEM;
	twin->dev = dev;
	raw_spin_lock_init(&twin->lock);

	/* Everything that can be wrong with the device tree comes before the chip is touched. */
	ret = twin_pinctrl_choices(twin);
	if (ret)
		return ret;
	for (i = 0; i < EINTS; i++) {
		irqs[i] = platform_get_irq_optional(pdev, i);
		if (irqs[i] < 0) {
			if (irqs[i] != -EPROBE_DEFER)
				dev_err(dev, "%pOF: interrupts has no usable entry %u of %u: %d\n",
					dev->of_node, i, EINTS, irqs[i]);
			return irqs[i];
		}
	}
	ret = twin_pinctrl_map(pdev, twin);
	if (ret)
		return ret;

	twin_pinctrl_reset(twin);
	ret = devm_pinctrl_register_and_init(dev, &twin_pinctrl_desc, twin, &pctldev);
	if (ret)
		return ret;
	ret = pinctrl_enable(pctldev);
	if (ret)
		return ret;
	ret = twin_pinctrl_add_chip(twin);
	if (ret)
		return ret;
	for (i = 0; i < EINTS; i++) {
		twin->lines[i].twin = twin;
		ret = devm_request_irq(dev, irqs[i], twin_pinctrl_handle, 0, "mt3620-eint",
				       &twin->lines[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct of_device_id twin_pinctrl_of_match[] = {
	{ .compatible = "mediatek,mt3620-pinctrl" },
	{ }
};

struct platform_driver twin_pinctrl_driver = {
	.driver = {
		.name = "mt3620_pinctrl_twin",
		.of_match_table = twin_pinctrl_of_match,
	},
	.probe = twin_pinctrl_probe,
};
