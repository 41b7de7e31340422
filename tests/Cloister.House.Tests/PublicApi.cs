using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cloister.House.Tests;

/// <summary>What a room promises to those who build on it, one line per member.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Describe(Assembly room)
    {
        var text = new StringBuilder();
        foreach (var type in room.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(Name(type)).Append(Bases(type)).Append('\n');
            foreach (string member in Members(type).Distinct().Order(StringComparer.Ordinal))
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }
        return text.ToString();
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => type.IsByRefLike ? "ref struct" : "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        if (type.IsEnum)
        {
            return $" : {Name(type.GetEnumUnderlyingType())}";
        }

        var bases = type.GetInterfaces().Where(face => face.IsPublic && type.BaseType?.GetInterfaces().Contains(face) is not true).Select(Name).Order(StringComparer.Ordinal);
        var all = type is { IsClass: true, BaseType: { } parent } && parent != typeof(object) ? bases.Prepend(Name(parent)) : bases;
        return all.Any() ? $" : {string.Join(", ", all)}" : "";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name))}");
        }

        return type.GetMembers(Declared)
            .Where(member => member is not Type && (!member.IsDefined(typeof(CompilerGeneratedAttribute)) || member is PropertyInfo))
            .Select(Describe)
            .OfType<string>();
    }

    private static string? Describe(MemberInfo member) => member switch
    {
        FieldInfo field when Seen(field.Attributes) => field.IsLiteral
            ? $"const {Name(field.FieldType)} {field.Name} = {field.GetRawConstantValue()}"
            : $"{Static(field.IsStatic)}{Name(field.FieldType)} {field.Name}",
        ConstructorInfo constructor when Seen(constructor) => $"new({Parameters(constructor)})",
        PropertyInfo property when Seen(property.GetMethod) || Seen(property.SetMethod) =>
            $"{Static((property.GetMethod ?? property.SetMethod)!.IsStatic)}{Name(property.PropertyType)} {property.Name} {{{(Seen(property.GetMethod) ? " get;" : "")}{Setter(property)} }}",
        EventInfo @event when Seen(@event.AddMethod) => $"event {Name(@event.EventHandlerType!)} {@event.Name}",
        MethodInfo { IsSpecialName: false } method when Seen(method) => $"{Static(method.IsStatic)}{Name(method.ReturnType)} {method.Name}{Arguments(method)}({Parameters(method)})",
        MethodInfo method when Seen(method) && method.Name.StartsWith("op_", StringComparison.Ordinal) => $"static {Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        _ => null,
    };

    private static bool Seen(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static bool Seen(FieldAttributes field) => (field & FieldAttributes.FieldAccessMask) is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;

    private static string Setter(PropertyInfo property) => property.SetMethod switch
    {
        { } setter when !Seen(setter) => "",
        { } setter when setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) => " init;",
        { } => " set;",
        null => "",
    };

    private static string Static(bool isStatic) => isStatic ? "static " : "";

    private static string Arguments(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "ref " : "")}{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = default" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }
        if (type.IsArray)
        {
            return $"{Name(type.GetElementType()!)}[]";
        }
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return $"{Name(underlying)}?";
        }

        string name = type.IsNested && !type.IsGenericParameter ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Name;
        int tick = name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? name : $"{name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
