SELECT email, first_name, phone_number, city, country, plan FROM customers;
